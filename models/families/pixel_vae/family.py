"""The pixel VAE as the register has it."""

from bitswap_models.families.family import Family
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.enlarged import enlarge
from bitswap_models.families.pixel_vae.growth import larger
from bitswap_models.families.pixel_vae.model import PixelVAE

FAMILY = Family(
    name=PixelVAE.family,
    config=Config,
    model=PixelVAE,
    network="bitswap_models.training.networks.pixel_vae:PixelNetwork",
    grow=enlarge,
    larger=larger,
    fit="bitswap_models.fitting.fit",
    refine="bitswap_models.fitting.refined",
)
