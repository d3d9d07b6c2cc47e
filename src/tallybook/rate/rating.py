"""Rating in the engine: events x price rows, grouped before they are multiplied.

Quantities are summed first, per price row and per combination of what calls carry; then each sum
is multiplied once per layer (list, contract, card). That is exact, because one price holds inside a
price row, and it is what keeps a month within twice the cost of a bare scan (docs/benchmarks.md).
Amounts are HUGEINT pico: only x, + and SUM; an overflow raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.rate.model import PriceRow
from tallybook.store import sql_text
from tallybook.store.lake import ColumnType, Session

_NO_EPOCH = "CAST(0 AS INT)"
"""The epoch of what is grouped by place alone: a place says what is the case at its own."""

UNPLACED = -1
"""The place of a call that stands alone."""

REQUEST = "request"
"""The unit that is counted, not reported: one per call that did not fail."""


@dataclass(frozen=True, slots=True)
class Metering:
    """How a period's events are to be grouped.

    ``carried`` are the event fields that may decide whose call it is (``labels.x`` allowed);
    ``epochs_us`` are the instants inside the period at which the answer may change.
    ``only_netted`` groups the events that corrections supersede, and no others; ``only_touched``
    those of the traces in the table ``touched``. With ``placed`` an event is grouped by its place
    in its trace, of the table of that name; what it carries is told only where that is ``kept``, or
    where an event may have no place because only some traces were walked. With ``for_whom`` it is
    grouped by the number in the column ``behalf`` of that table, too. With ``has_capacity`` it is
    told on which capacity calls ran.
    """

    start_us: int
    end_us: int
    carried: tuple[str, ...]
    epochs_us: tuple[int, ...]
    meters: tuple[str, ...]
    has_corrections: bool
    only_netted: bool = False
    only_touched: bool = False
    placed: bool = False
    kept: bool = False
    has_capacity: bool = False
    for_whom: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of what is grouped by: ``c0..``, then the place, then for whom."""
        told = len(self.carried) * self.carries
        return tuple(f"c{i}" for i in range(told + self.placed + self.for_whom))

    @property
    def carries(self) -> bool:
        """Whether what calls carry is told; the place of each says all where each has one."""
        return not self.placed or self.kept or self.only_touched

    @property
    def units(self) -> tuple[str, ...]:
        """The meters that are units that were reported, not token classes."""
        return tuple(meter for meter in self.meters if meter not in (*TOKEN_CLASSES, REQUEST))


def rate_events(session: Session, metering: Metering, rows: Sequence[PriceRow]) -> None:
    """Make the view ``rated``: one row per (carried, epoch, provider, price row, state).

    Columns: ``c0..`` what calls carry, ``epoch``, ``provider``, ``state``, ``unpriced``, ``calls``,
    ``tokens``, ``list_pico``, ``contract_pico``, ``card_pico``, and ``u0..`` per unit.
    """
    meters = _priced_meters(metering, rows)
    _open_prices(session, meters, rows)
    session.run(metered_sql(metering, meters, rows), _bounds(metering))
    layers = ",\n  ".join(_amount(layer, meters) for layer in ("list", "contract", "card"))
    session.run(sql_text(__package__, "rated").format(amounts=layers))


def metered_sql(metering: Metering, meters: Sequence[str], rows: Sequence[PriceRow]) -> str:
    """The one scan over the events, as text.

    The tokens of a call are the sum of its classes, so they are added up after grouping.
    """
    classes = [f"COALESCE(g.q{i}, 0)" for i, meter in enumerate(meters) if meter in TOKEN_CLASSES]
    return sql_text(__package__, "metered").format(
        carried=carried_sql(metering),
        lacks_price=lacks_price_sql(meters, rows),
        quantities="".join(
            f"SUM({quantity_sql(meter)}) AS q{i},\n    " for i, meter in enumerate(meters)
        ),
        tokens=" + ".join(classes) or "0",
        units="".join(
            f",\n  g.q{meters.index(unit)} AS u{i}" for i, unit in enumerate(metering.units)
        )
        + (CAPACITY if metering.has_capacity else ""),
        price_join=PRICE_JOIN,
        corrections=beside_sql(metering),
    )


PRICE_JOIN = """LEFT JOIN price p ON e.provider = p.provider AND e.model = p.model
  AND e.tier = p.tier AND e.region = p.region
  AND e.started_us >= p.from_us AND e.started_us < p.to_us
  AND e.context_tokens > p.context_over AND e.context_tokens <= p.context_upto"""

CAPACITY = ",\n  COALESCE(p.capacity, '') AS capacity"

_SUPERSEDED = """JOIN (SELECT source, supersedes FROM corrections WHERE supersedes <> '') s
  ON e.source = s.source AND e.event_id = s.supersedes"""
# A correction is a new event that names what it supersedes; the old one is netted: left out.
CORRECTIONS = f"ANTI {_SUPERSEDED}"
NETTED = f"SEMI {_SUPERSEDED}"


PLACED = "LEFT JOIN placed w ON e.row_at = w.row_at"
TOUCHED = "SEMI JOIN touched x ON e.trace_id = x.trace_id"


def beside_sql(metering: Metering) -> str:
    """What the events ``e`` are joined with to be the ones that are grouped."""
    parts = [netting_sql(metering)]
    if metering.only_touched:
        parts.append(TOUCHED)
    if metering.placed:
        parts.append(PLACED)
    return "\n  ".join(part for part in parts if part)


def netting_sql(metering: Metering) -> str:
    """The join that leaves out what is superseded, or everything else."""
    if metering.only_netted:
        return NETTED
    return CORRECTIONS if metering.has_corrections else ""


def carried_sql(metering: Metering) -> str:
    """The columns ``c0..`` and ``epoch`` of an event ``e``."""
    carried = metering.carried if metering.carries else ()
    columns = [f"{_carried(metering, f)} AS c{i}" for i, f in enumerate(carried)]
    if metering.placed:
        columns.append(f"COALESCE(w.place, {UNPLACED}) AS c{len(columns)}")
    if metering.for_whom:
        columns.append(f"COALESCE(w.behalf, 0) AS c{len(columns)}")
    epoch = epoch_sql(metering) if metering.carries else _NO_EPOCH
    return ",\n  ".join([*columns, f"{epoch} AS epoch"])


def _carried(metering: Metering, field: str) -> str:
    if metering.placed and not metering.kept:
        return f"CASE WHEN w.row_at IS NULL THEN {field_sql(field)} ELSE '' END"
    return field_sql(field)


def epoch_sql(metering: Metering) -> str:
    """The number of epochs that began before an event ``e``, in brackets."""
    began = " + ".join(f"CAST(e.started_us >= {at} AS INT)" for at in metering.epochs_us)
    return f"({began or '0'})"


def field_sql(field: str) -> str:
    """An event field as an expression; '' when a label is absent."""
    if field.startswith("labels."):
        name = field.removeprefix("labels.").replace("'", "''")
        return f"COALESCE(e.labels['{name}'], '')"
    return f"e.{field}"


def unpriced_sql(meters: Sequence[str], rows: Sequence[PriceRow]) -> str:
    """Whether an event used something that its price row does not price, or has no price row."""
    return f"(p.price_id IS NULL OR {lacks_price_sql(meters, rows)})"


def lacks_price_sql(meters: Sequence[str], rows: Sequence[PriceRow]) -> str:
    """Whether an event used a meter that its price row lacks.

    Only meters that some row lacks are looked at, so a complete price book costs nothing here.
    """
    lacking = [
        f"(p.lacks_{i} AND COALESCE({quantity_sql(meter)}, 0) > 0)"
        for i, meter in enumerate(meters)
        if meter != REQUEST and any(meter not in (row.contract or {}) for row in rows)
    ]
    return f"COALESCE({' OR '.join(lacking)}, FALSE)" if lacking else "FALSE"


def open_prices(session: Session, metering: Metering, rows: Sequence[PriceRow]) -> Sequence[str]:
    """Put the price rows beside the events as the table ``price``; returns its meters in order."""
    meters = _priced_meters(metering, rows)
    _open_prices(session, meters, rows)
    return meters


def event_amount_sql(layer: str, meters: Sequence[str]) -> str:
    """The amount of one event ``e`` under price row ``p``, in pico."""
    terms = [
        f"CAST(COALESCE({quantity_sql(meter)}, 0) AS HUGEINT) * p.{layer}_{i}"
        for i, meter in enumerate(meters)
    ]
    return f"({' + '.join(terms) or 'CAST(0 AS HUGEINT)'})"


def _priced_meters(metering: Metering, rows: Sequence[PriceRow]) -> tuple[str, ...]:
    """What may carry money: the meters in use, and requests where told or priced by some row."""
    per_request = REQUEST in metering.meters or any(
        (row.contract or {}).get(REQUEST) for row in rows
    )
    used = tuple(meter for meter in metering.meters if meter != REQUEST)
    return (*used, REQUEST) if per_request else used


def quantity_sql(meter: str) -> str:
    """How much of a meter an event ``e`` used; NULL when the event does not say."""
    if meter == REQUEST:
        return "CAST(e.status <> 'error' AS BIGINT)"
    if meter in TOKEN_CLASSES:
        return f"e.{meter}"
    name = meter.replace("'", "''")
    return f"e.units['{name}']"


def _amount(layer: str, meters: Sequence[str]) -> str:
    terms = [
        f"CAST(COALESCE(m.q{i}, 0) AS HUGEINT) * p.{layer}_{i}" for i in range(len(meters))
    ] or ["CAST(0 AS HUGEINT)"]
    return f"CASE WHEN m.unpriced THEN 0 ELSE {' + '.join(terms)} END AS {layer}_pico"


def _open_prices(session: Session, meters: Sequence[str], rows: Sequence[PriceRow]) -> None:
    types: dict[str, ColumnType] = {
        "price_id": "whole",
        "provider": "text",
        "model": "text",
        "tier": "text",
        "region": "text",
        "from_us": "whole",
        "to_us": "whole",
        "context_over": "whole",
        "context_upto": "whole",
        "capacity": "text",
    }
    types |= {f"lacks_{i}": "truth" for i in range(len(meters))}
    for layer in ("list", "contract", "card"):
        types |= {f"{layer}_{i}": "whole" for i in range(len(meters))}
    session.table("price", types, [_price_values(row, meters) for row in rows])


def _price_values(row: PriceRow, meters: Sequence[str]) -> tuple[object, ...]:
    contract = row.contract or {}
    layers = (row.list or {}, contract, row.card or {})
    return (
        row.price_id,
        row.provider,
        row.model,
        row.tier,
        row.region,
        row.from_us,
        row.to_us,
        row.context_over,
        row.context_upto,
        row.capacity,
        *(meter not in contract for meter in meters),
        *(_price(layer, contract, meter) for layer in layers for meter in meters),
    )


def _price(layer: Mapping[str, int], contract: Mapping[str, int], meter: str) -> int:
    """A layer that does not name a meter follows the contract; what no layer names is unpriced."""
    return layer.get(meter, contract.get(meter, 0))


def _bounds(metering: Metering) -> dict[str, object]:
    return {"start_us": metering.start_us, "end_us": metering.end_us}
