"""The pixel VAE: a local autoregressive likelihood with latents that modulate it."""
