"""INV-04, 10, 12 and 14: each month, computed again from the versions that it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

from tallybook.allocate.allocate import allocate
from tallybook.allocate.cost_layer import account_part
from tallybook.allocate.model import Month
from tallybook.allocate.pools import pool_shares
from tallybook.books.model import MODELS, TeamPolicy
from tallybook.check.model import Finding, finding
from tallybook.clock import Period
from tallybook.ledger.balance import booked, booked_into
from tallybook.ledger.chart import CENTRAL
from tallybook.ledger.model import USAGE_REASONS, ActKind, PostingKey
from tallybook.ledger.state import RecordedAct, acts
from tallybook.post.basis import Basis, basis_at
from tallybook.post.compute import charged, month_of, pool_actuals, price_rows
from tallybook.post.run import is_from_events, targets
from tallybook.post.sheet import Sheet, latest_sheet
from tallybook.rate.lists import list_bytes
from tallybook.rate.publish import publications
from tallybook.report.issued import issued
from tallybook.store import Store, Tx

LEDGER_COST = ("Accrued", "Source", "Payable", "Prepaid", "Tax")
"""What was incurred: owed, paid before or mirrored, without the tax that comes back."""
CHARGE_SOURCES = ("charge", "markup", "absorb", "transfer")


def closed_is_fixed(store: Store) -> Finding:
    """INV-04: while a period was closed nothing posted into it; each version is as issued.

    While it was soft-closed, nothing that comes from usage did.
    """
    faults: list[str] = []
    examined = 0
    with store.read() as tx:
        faults += _after_cutoffs(tx)
        for row in tx.rows("SELECT DISTINCT period FROM chain WHERE reason = 'close'"):
            period = str(row.period)
            for close, end in _closed_spans(acts(tx, period)):
                examined += 1
                after = tx.scalar(
                    "SELECT COUNT(*) FROM chain WHERE kind = 'entry' AND period = :period"
                    " AND seq > :seq AND (:end = 0 OR seq < :end)",
                    period=period,
                    seq=close.seq,
                    end=end,
                )
                if after:
                    faults.append(f"{period}: {after} entries after its close {close.id}")
                version = int(close.details["statement_version"])
                issue = issued(tx, period, version)
                if issue is None or issue.body_sha256 != close.details["body_sha256"]:
                    faults.append(
                        f"{period}: the issued statement is not the one that {close.id} fixed"
                    )
    return finding("INV-04", examined, faults, f"{examined} closes unchanged")


def _after_cutoffs(tx: Tx) -> Iterator[str]:
    """Entries from usage that posted into a soft-closed period."""
    turn = (
        "SELECT MAX(t.seq) FROM chain AS t WHERE t.kind = 'act' AND t.period = c.period"
        " AND t.reason IN ('soft_close', 'close', 'reopen') AND t.seq < c.seq"
    )
    for row in tx.rows(
        "SELECT c.id, c.reason, c.period FROM chain AS c"
        f" JOIN chain AS a ON a.seq = ({turn})"
        " WHERE c.kind = 'entry' AND a.reason = 'soft_close' ORDER BY c.seq"
    ):
        if row.reason in USAGE_REASONS:
            yield f"{row.period}: {row.id} ({row.reason}) posted usage while it was soft-closed"


def _closed_spans(every: Sequence[RecordedAct]) -> Iterator[tuple[RecordedAct, int]]:
    """Each close with the link that reopened its period, 0 while none did."""
    turns = [act for act in every if act.kind in (ActKind.CLOSE, ActKind.REOPEN)]
    for place, act in enumerate(turns):
        if act.kind is ActKind.CLOSE:
            yield act, turns[place + 1].seq if place + 1 < len(turns) else 0


def allocated_once(store: Store) -> Finding:
    """INV-10: each month's events, rated and allocated again, give exactly what is booked."""
    faults, examined = [], 0
    for sheet, basis, actuals in sheets_again(store):
        made = charged(store, basis)
        examined += len(made.lines)
        if (made.lines, made.uses) != (sheet.lines, sheet.uses):
            faults.append(
                f"{sheet.period}: the sealed events do not give cost sheet {sheet.number}"
            )
        wanted = targets(allocate(month_of(basis, made.lines, actuals, made.uses)), basis)
        with store.read() as tx:
            held = booked(tx, sheet.period)
        faults += _differences(sheet.period, wanted, held)
    return finding("INV-10", examined, faults, "every line and pool amount is allocated once")


def model_neutral(store: Store) -> Finding:
    """INV-12: the cost layer ignores the model; charged + central = ledger cost; borne once."""
    faults, examined = [], 0
    for sheet, basis, actuals in sheets_again(store):
        examined += 1
        month = month_of(basis, sheet.lines, actuals, sheet.uses)
        faults += _cost_layer_moves(month)
        with store.read() as tx:
            held = booked(tx, sheet.period)
            into = booked_into(tx, sheet.period)
        faults += _untied(f"service period {sheet.period}", held)
        faults += _untied(f"posting period {sheet.period}", into)
        faults += _touches(sheet.period, held)
        faults += _remainders(month, held)
        faults += _prices(month, held)
    return finding("INV-12", examined, faults, "the models change only who pays")


def one_price(store: Store) -> Finding:
    """INV-14: at each moment one price row at most applies; what was published stays published."""
    faults, examined = _republished(store), 0
    for sheet, basis, _ in sheets_again(store):
        rows = price_rows(basis)
        examined += len(rows)
        for before, after in pairwise(rows):
            same = before.key == after.key
            in_time = before.to_us > after.from_us and after.to_us > before.from_us
            in_band = before.context_upto > after.context_over
            in_band = in_band and after.context_upto > before.context_over
            if same and in_time and in_band:
                faults.append(f"{sheet.period}: two prices for {before.key} at {after.from_us}")
    return finding("INV-14", examined, faults, "one price version per moment")


def _republished(store: Store) -> list[str]:
    """Publications that are not what was published, and postings under none."""
    faults, labels = [], set()
    with store.read() as tx:
        for row in tx.rows("SELECT DISTINCT period FROM publication ORDER BY period"):
            period = Period.parse(row.period)
            for number, held in enumerate(publications(tx, period), start=1):
                labels.add((row.period, held.label))
                if (held.number, held.label) != (number, f"{period.first_day()}.{number}"):
                    faults.append(f"{row.period}: publication {number} is {held.label!r}")
                if held.digest != sha256(list_bytes(held.list_version)).hexdigest():
                    faults.append(f"{held.label}: list {held.list_version} is not what it was")
        named = tx.rows(
            "SELECT DISTINCT service_period, price_version FROM posting WHERE price_version <> ''"
            " ORDER BY service_period, price_version"
        )
    faults += [
        f"{row.service_period}: postings name prices {row.price_version!r}, never published"
        for row in named
        if (row.service_period, row.price_version) not in labels
    ]
    return faults


def sheets_again(store: Store) -> Iterator[tuple[Sheet, Basis, Mapping[str, int]]]:
    """Each period's latest sheet with the basis that it names and what its pools really cost."""
    with store.read() as tx:
        periods = [str(row.period) for row in tx.rows("SELECT DISTINCT period FROM sheet")]
    for period in sorted(periods):
        with store.read() as tx:
            sheet = latest_sheet(tx, period)
            assert sheet is not None, "the period has a sheet"
            actuals = pool_actuals(tx, period, sheet.versions.pools)
        yield sheet, basis_at(store, Period.parse(period), sheet.versions), actuals


def _differences(
    period: str, wanted: Mapping[PostingKey, int], held: Mapping[PostingKey, int]
) -> list[str]:
    ours = {key: nano for key, nano in held.items() if is_from_events(key)}
    return [
        f"{period}: {key.account} ({key.source}) is booked at {ours.get(key, 0)}, should be"
        f" {wanted.get(key, 0)} nano"
        for key in sorted(wanted.keys() | ours.keys())
        if ours.get(key, 0) != wanted.get(key, 0)
    ]


def _cost_layer_moves(month: Month) -> list[str]:
    cost = allocate(month).cost
    return [
        f"{month.period}: the cost layer differs under {model}"
        for model in MODELS
        if allocate(_all_on(month, model)).cost != cost
    ]


def _all_on(month: Month, model: str) -> Month:
    policy = replace(month.policy, default=TeamPolicy(model), teams={})  # type: ignore[arg-type]
    return replace(month, policy=policy)


def _untied(what: str, held: Mapping[PostingKey, int]) -> list[str]:
    """(c): charged + central = ledger cost."""
    families: dict[str, int] = defaultdict(int)
    for key, nano in held.items():
        families[key.account.partition(":")[0]] += nano
    borne = sum(families[name] for name in ("Charge", "Rounding", "Result", *CENTRAL))
    cost = -sum(families[name] for name in LEDGER_COST)
    return [] if borne == cost else [f"{what}: charged + central {borne}, ledger cost {cost} nano"]


def _touches(period: str, held: Mapping[PostingKey, int]) -> list[str]:
    allowed = {"Charge", *CENTRAL}
    return [
        f"{period}: the charge layer touches {key.account}"
        for key in held
        if key.source.partition(":")[0] in CHARGE_SOURCES
        and key.account.partition(":")[0] not in allowed
    ]


def _remainders(month: Month, held: Mapping[PostingKey, int]) -> list[str]:
    """(d): what stays on Cost is unowned or on showback, on Pool the showback teams' share.

    A pool that nothing can spread stays whole.
    """
    stays: dict[str, int] = defaultdict(int)
    unsplit = not sum(cell.tokens for cell in month.charged_cells("proportional"))
    for cell in month.cells:
        model = month.model_of(cell.team)
        central = cell.team == month.unowned
        shown = model == "showback" or (model == "proportional" and unsplit)
        if central or (shown and not month.is_pooled(cell)):
            stays[f"Cost:{account_part(cell.provider)}"] += cell.card_nano
    for share in pool_shares(month):
        shown_nano = sum(
            nano for team, nano in share.amounts_nano.items() if month.model_of(team) == "showback"
        )
        central_nano = share.total_nano - sum(share.amounts_nano.values())
        stays[f"Pool:{share.pool}"] += shown_nano + central_nano
    found: dict[str, int] = defaultdict(int)
    for key, nano in held.items():
        if key.account.startswith(("Cost:", "Pool:")) and is_from_events(key):
            found[key.account] += nano
    return _apart(month, found, stays, "unowned and shown at")


def _prices(month: Month, held: Mapping[PostingKey, int]) -> list[str]:
    """Transfer prices move from team to team: owed is earned, service by service.

    The side of a team that is not charged is central; between two such teams nothing is booked.
    """
    owed: dict[str, int] = defaultdict(int)
    for use in month.uses:
        sides = ((use.team, use.amount_nano), (use.executor, -use.amount_nano))
        charged = [team for team, _ in sides if month.is_charged(team)]
        for team, nano in sides if charged else ():
            name = f"Charge:{team}:transfer" if team in charged else "Absorption:transfer"
            owed[f"{name} for {use.service}"] += nano
    found: dict[str, int] = defaultdict(int)
    for key, nano in held.items():
        family, _, service = key.source.partition(":")
        if family == "transfer":
            found[f"{key.account} for {service}"] += nano
    return _apart(month, found, owed, "owed at transfer prices")


def _apart(
    month: Month, found: Mapping[str, int], wanted: Mapping[str, int], what: str
) -> list[str]:
    return [
        f"{month.period}: {account} stands at {found.get(account, 0)}, {what}"
        f" {wanted.get(account, 0)} nano"
        for account in sorted(found.keys() | wanted.keys())
        if found.get(account, 0) != wanted.get(account, 0)
    ]
