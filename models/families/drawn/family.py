"""The model of drawn pictures as the register has it."""

from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.model import Drawn
from bitswap_models.families.family import Family

FAMILY = Family(
    name=Drawn.family,
    config=Config,
    model=Drawn,
    network="bitswap_models.training.drawn.run:Taught",
    subject="pictures",
    train="bitswap_models.training.drawn.run",
)
