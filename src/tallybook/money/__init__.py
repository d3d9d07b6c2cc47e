"""Exact money: integers at three scales, and every rounding that the house makes."""

from tallybook.money.apportion import Targets, apportion
from tallybook.money.cents import cents_of_lines
from tallybook.money.cumulate import cumulative_nano, cumulative_share
from tallybook.money.entered import AMOUNT_MAX, parse_amount
from tallybook.money.flow import whole_flow
from tallybook.money.model import (
    CENTS_PER_UNIT,
    NANO_PER_CENT,
    NANO_PER_UNIT,
    NANO_SCALE,
    PICO_PER_NANO,
    PICO_PER_UNIT,
    PICO_SCALE,
    Amount,
    Cents,
    Nano,
    Pico,
)
from tallybook.money.rounding import (
    cents_of_nano,
    discounted_price,
    exchanged,
    half_even,
    nano_covering,
    nano_of_pico,
    pico_of_figure,
    proportional,
)
from tallybook.money.share import format_percent, format_ratio, format_share, whole_parts
from tallybook.money.text import format_cents, format_units, parse_percent, parse_rate, parse_units

__all__ = [
    "AMOUNT_MAX",
    "CENTS_PER_UNIT",
    "NANO_PER_CENT",
    "NANO_PER_UNIT",
    "NANO_SCALE",
    "PICO_PER_NANO",
    "PICO_PER_UNIT",
    "PICO_SCALE",
    "Amount",
    "Cents",
    "Nano",
    "Pico",
    "Targets",
    "apportion",
    "cents_of_lines",
    "cents_of_nano",
    "cumulative_nano",
    "cumulative_share",
    "discounted_price",
    "exchanged",
    "format_cents",
    "format_percent",
    "format_ratio",
    "format_share",
    "format_units",
    "half_even",
    "nano_covering",
    "nano_of_pico",
    "parse_amount",
    "parse_percent",
    "parse_rate",
    "parse_units",
    "pico_of_figure",
    "proportional",
    "whole_flow",
    "whole_parts",
]
