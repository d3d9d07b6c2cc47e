"""Importers: any bytes give events or faults with a place, and nothing else.

``python -m fuzz.sources [folder of seeds] [options of libFuzzer]``
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tallybook.meter.sources"]):
    from tallybook.errors import EventError
    from tallybook.meter.model import ROLES, UsageEvent
    from tallybook.meter.sources.jsonl import Jsonl
    from tallybook.meter.sources.registry import PRODUCTS, open_product
    from tallybook.meter.sources.source import Reading, Source

NAMES = ("jsonl", *PRODUCTS)
FILE = Path(tempfile.mkdtemp()) / "usage"


def one(data: bytes) -> None:
    """One input: its first byte chooses the product; the rest is a file of it."""
    choice = atheris.FuzzedDataProvider(data)
    name = choice.PickValueInList(list(NAMES))
    FILE.write_bytes(choice.ConsumeBytes(choice.remaining_bytes()))
    with suppress(EventError):
        for reading in opened(name).read():
            check(name, reading)


def opened(name: str) -> Source:
    """The source of the file."""
    return Jsonl([FILE]) if name == "jsonl" else open_product(name, [FILE])


def check(name: str, reading: Reading) -> None:
    """A fault says what is wrong; an event is one, with a role that we know."""
    told = reading.event
    if not reading.place.startswith(FILE.name):
        raise AssertionError(f"{name}: no place: {reading.place!r}")
    if isinstance(told, EventError):
        if not told.what:
            raise AssertionError(f"{name}: a fault without words")
    elif not isinstance(told, UsageEvent) or reading.role not in ROLES:
        raise AssertionError(f"{name}: {reading!r}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
