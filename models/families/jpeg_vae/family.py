"""The JPEG VAE as the register has it."""

from bitswap_models.families.family import Family
from bitswap_models.families.jpeg_vae.config import Config
from bitswap_models.families.jpeg_vae.model import JpegVAE

FAMILY = Family(
    name=JpegVAE.family,
    config=Config,
    model=JpegVAE,
    network="bitswap_models.training.networks.jpeg_vae:JpegNetwork",
    subject="coefficients",
    train="bitswap_models.training.jpeg.run",
)
