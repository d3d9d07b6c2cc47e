"""Published price lists: frozen files of list prices, one per version, never edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import msgspec

from tallybook.errors import PriceError
from tallybook.rate.grid import Cell, Grid
from tallybook.rate.model import ANY_CONTEXT

DEFAULT_LIST: Final = "genai-prices-0.2.3"

Clause = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """The list price of one tier of a model from an instant on, until the next segment.

    ``from_us`` is None when the price applies from the beginning for want of a date.
    """

    from_us: int | None
    grid: Grid


@dataclass(frozen=True, slots=True)
class ListModel:
    """One model of a list: how it is recognised and what each tier costs."""

    provider: str
    id: str
    match: Clause
    tiers: Mapping[str, tuple[Segment, ...]]


@dataclass(frozen=True, slots=True)
class ListProvider:
    """One provider of a list; ``fallbacks`` are providers whose models it resells."""

    id: str
    fallbacks: tuple[str, ...]
    models: tuple[ListModel, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the list leaves out; an empty ``meter`` is the whole price."""

    provider: str
    model: str
    tier: str
    meter: str
    reason: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """A published list: providers by id and everything that was refused on the way in."""

    version: str
    source: str
    currency: str
    providers: Mapping[str, ListProvider]
    refused: tuple[Refusal, ...]

    def why_refused(self, model: ListModel, tier: str) -> str:
        """Why a tier of the model has no price; empty when the list does not say."""
        for row in self.refused:
            if (row.provider, row.model, row.tier, row.meter) == (
                model.provider,
                model.id,
                tier,
                "",
            ):
                return row.reason
        return ""


def list_bytes(version: str) -> bytes:
    """The bytes of a published list.

    Raises:
        PriceError: there is no list of this version.
    """
    folder = resources.files("tallybook.rate") / "lists"
    file = folder / f"{version}.json"
    if not re.fullmatch(r"[a-z0-9.-]+", version) or not file.is_file():
        there = sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json"))
        raise PriceError(
            f"there is no price list {version!r}",
            next_step=f"name one of: {', '.join(there)}",
        )
    return file.read_bytes()


@lru_cache(maxsize=8)
def load_list(version: str = DEFAULT_LIST) -> PriceList:
    """Read a published list; each version is read once.

    Raises:
        PriceError: there is no list of this version.
    """
    return parse_list(msgspec.json.decode(list_bytes(version)))


def parse_list(document: Mapping[str, Any]) -> PriceList:
    """A list from its document.

    Raises:
        PriceError: the document states another scale or currency than pico-dollars.
    """
    if (document["scale"], document["currency"]) != (12, "USD"):
        raise PriceError(
            f"list {document['version']} is in {document['currency']} at scale "
            f"{document['scale']}; a list is in USD at scale 12",
        )
    return PriceList(
        version=document["version"],
        source=document["source"],
        currency=document["currency"],
        providers={row["id"]: _provider(row) for row in document["providers"]},
        refused=tuple(Refusal(**row) for row in document["refused"]),
    )


def _provider(row: Mapping[str, Any]) -> ListProvider:
    models = tuple(
        ListModel(
            provider=row["id"],
            id=model["id"],
            match=model["match"],
            tiers={tier: _segments(found) for tier, found in model["tiers"].items()},
        )
        for model in row["models"]
    )
    return ListProvider(row["id"], tuple(row["fallbacks"]), models)


def _segments(rows: list[dict[str, Any]]) -> tuple[Segment, ...]:
    return tuple(
        Segment(row["from_us"], tuple(c for part in row["parts"] for c in _cells(part)))
        for row in rows
    )


def _cells(part: Mapping[str, Any]) -> list[Cell]:
    bands = part["bands"]
    uppers = [band["over"] for band in bands[1:]] + [ANY_CONTEXT]
    return [
        Cell(part["from_s"], part["to_s"], band["over"], upto, band["prices"])
        for band, upto in zip(bands, uppers, strict=True)
    ]
