"""The JPEG VAE: quantized coefficients under a local autoregressive likelihood with latents."""
