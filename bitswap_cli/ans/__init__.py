"""Asymmetric numeral systems: messages, distributions over integers, and their combinators."""

from bitswap_cli.ans.combinators import Serial, Substack
from bitswap_cli.ans.distributions import (
    Bernoulli,
    Categorical,
    Codec,
    Logistic,
    LogisticMixture,
    Uniform,
    quantize,
)
from bitswap_cli.ans.errors import Damaged, NoEngine, Underflow
from bitswap_cli.ans.kernel import engine_name
from bitswap_cli.ans.message import Message
from bitswap_cli.ans.parameters import LANES, PRECISION, LogisticParameters, MixtureParameters

__all__ = [
    "LANES",
    "PRECISION",
    "Bernoulli",
    "Categorical",
    "Codec",
    "Damaged",
    "Logistic",
    "LogisticMixture",
    "LogisticParameters",
    "Message",
    "MixtureParameters",
    "NoEngine",
    "Serial",
    "Substack",
    "Underflow",
    "Uniform",
    "engine_name",
    "quantize",
]
