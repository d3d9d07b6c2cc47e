"""Explain: from a statement line or a posting back to entries, allocation and calls, exactly.

The ledger holds summed lines. The lines behind them are made again from the sealed events and the
versions that the sheet names; if the calls do not add up to the sheet, or the sheet does not give
what is booked, explaining fails loudly instead of telling a story.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from tallybook.allocate.allocate import allocate
from tallybook.allocate.cost_layer import FLOWS
from tallybook.allocate.model import Allocation, Month, PoolShare
from tallybook.allocate.transfers import is_price, is_standing
from tallybook.attribute.model import AttributedLine, Attribution, Owner, TransferUse
from tallybook.attribute.path import Decision
from tallybook.attribute.transfer import Users, joint_users, payers_of, transferred
from tallybook.books.model import PolicyVersion
from tallybook.clock import Period
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.balance import booked
from tallybook.ledger.journal import entry_of
from tallybook.ledger.model import PostingKey
from tallybook.ledger.state import standing_cutoff
from tallybook.money import format_percent
from tallybook.post.basis import Basis, basis_at
from tallybook.post.beside import ROUNDING
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.late import Ranges
from tallybook.post.run import is_from_events, posting_key
from tallybook.post.sheet import Sheet, sheet_at, sheet_number
from tallybook.report.adjustments import Adjustment, adjustment_figures, decided_key, is_decided
from tallybook.report.calls import NO_CALLS, Calls, find_calls
from tallybook.report.draft import pool_of
from tallybook.report.held import held_in
from tallybook.report.lines import (
    CHARGE,
    SHOWN,
    LineKey,
    line_id,
    line_key,
    price_keys,
    terms_of,
    usage_key,
)
from tallybook.report.notes import notes_of
from tallybook.report.sides import PRICE, price_text, sides_of
from tallybook.store import Store, Tx, sql_text
from tallybook.store.memory import collector_paused

LINE = re.compile(r"L-(\d{4}-\d{2})-[0-9a-f]{12}")
ENTRY = re.compile(r"(E-\d+)(?::(\d+))?")
_ASKED_MAX = 8
"""More places than these are read faster by one fold of the whole month."""


@dataclass(frozen=True, slots=True)
class Share:
    """One step of the allocation behind a line: an amount and the rule that made it."""

    what: str
    detail: str
    amount_nano: int


@dataclass(frozen=True, slots=True)
class EntryPart:
    """What one entry posted on a line."""

    entry: str
    reason: str
    account: str
    source: str
    amount_nano: int
    versions: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way back from a line. ``posted_nano`` is the sum of ``entries``.

    ``owners`` are the owners of the calls with how many calls each decision covers, most first.
    """

    line: str
    period: str
    posted_nano: int
    entries: tuple[EntryPart, ...]
    allocated: tuple[Share, ...]
    owners: tuple[tuple[Owner, int], ...]
    calls: Calls


def explain(store: Store, reference: str, sample: int = 5) -> Explanation:
    """Explain a statement line (``L-2026-10-..``), an entry (``E-000012``) or a posting (``:2``).

    An issued line is explained as it was issued; an entry with all that was posted late since.

    Args:
        store: open books.
        reference: what to explain.
        sample: how many calls to show, the dearest first.

    Raises:
        LedgerError: no such line or entry, or the calls do not give what is booked.
    """
    with collector_paused():
        return _explained(store, reference, sample)


def _explained(store: Store, reference: str, sample: int) -> Explanation:
    with store.read() as tx:
        period = _period_of(tx, reference)
        issued = standing_cutoff(tx, period) if LINE.fullmatch(reference) else None
        into = period if issued else ""
        number = sheet_number(tx, period, issued.versions) if issued else 0
        sheet = sheet_at(tx, period, number)
        if sheet is None:
            raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
        keys, held = _keys_of(tx, reference, period, into)
        parts = _entry_parts(tx, period, keys, into)
        if _is_beside(keys):
            return beside_line(tx, reference, period, parts)
        actuals = pool_actuals(tx, period, sheet.versions.pools)
    basis = basis_at(store, Period.parse(period), sheet.versions)
    month = month_of(basis, sheet.lines, actuals, sheet.uses)
    allocation = allocate(month)
    _require_reproduced(reference, keys, held, _wanted(allocation, basis, keys))
    view = _View(basis, sheet, month)
    whole, behind = view.behind(reference, keys)
    if not keys and not behind:
        return _late_line(store, reference, sheet, sample)
    calls = find_calls(store, basis, whole, sample)
    _require_same_sum(reference, whole, calls)
    return Explanation(
        line=reference,
        period=period,
        posted_nano=sum(part.amount_nano for part in parts),
        entries=parts,
        allocated=(*_shares(keys, held, allocation, basis.policy), *view.prices(keys)),
        owners=_owners(behind),
        calls=calls,
    )


def _late_line(store: Store, reference: str, sheet: Sheet, sample: int) -> Explanation:
    """A line of late usage: both lines of the team about that month, which are what is booked.

    The calls are those that came after the close; what they superseded is not among them.
    """
    with store.read() as tx:
        _, adjustments = held_in(tx, sheet)
        if told := _decided_line(tx, reference, sheet.period, adjustments):
            return told
        about, team = _adjusted(reference, sheet.period, adjustments)
        keys = {k for k in about.held if (place := line_key(k)) and place.team == team}
        parts = _entry_parts(tx, about.period, keys, sheet.period)
        spans = Ranges.parse(sheet.versions.late).spans.get(about.period, ())
        ends = [sheet_at(tx, about.period, number) for number in (spans[0][0], spans[-1][1])]
    before, after = (end for end in ends if end)
    basis = basis_at(store, Period.parse(about.period), after.versions)
    since = before.versions.manifest
    newer = tuple(file for file in basis.snapshot.files if file.added > since)
    late = replace(basis, snapshot=replace(basis.snapshot, files=newer))
    whole, behind = parts_behind(after, lambda part: part.owner.team == team)
    calls = find_calls(store, late, whole, sample)
    lines = {k: f for k, f in adjustment_figures([about]).items() if k.team == team}
    posted_nano = sum(part.amount_nano for part in parts)
    if posted_nano != sum(figures.nano for figures in lines.values()):
        raise LedgerError(
            f"{reference}: {posted_nano} nano are posted and its lines say"
            f" {sum(figures.nano for figures in lines.values())}",
            next_step="tallybook check INV-05",
        )
    return Explanation(
        line=reference,
        period=sheet.period,
        posted_nano=posted_nano,
        entries=parts,
        allocated=(
            *(Share("late usage", key.detail, figures.nano) for key, figures in lines.items()),
            *(Share(k.source, _posting_detail(k), about.held[k]) for k in sorted(keys)),
        ),
        owners=_came(behind, before.lines),
        calls=calls,
    )


def _decided_line(
    tx: Tx, reference: str, period: str, adjustments: Sequence[Adjustment]
) -> Explanation | None:
    """A line about a closed month that no usage made: an adjusting entry, a decided variance."""
    for each in adjustments:
        for key in filter(is_decided, each.held):
            place = line_key(key)
            if place and line_id(period, decided_key(place, each.period)) == reference:
                keys = {k for k in each.held if is_decided(k) and line_key(k) == place}
                parts = _entry_parts(tx, each.period, keys, period)
                return beside_line(tx, reference, period, parts)
    return None


def beside_line(tx: Tx, reference: str, period: str, parts: tuple[EntryPart, ...]) -> Explanation:
    """What no run posted: its entries with who prepared and approved them, why, and what proves it.

    No calls stand behind it.
    """
    shares = []
    for part in parts:
        entry = entry_of(tx, part.entry)
        said = [f"{name}: {value}" for name, value in entry.details.items() if value]
        told = "; ".join([entry.text, f"posted by {entry.actor}", *said])
        shares.append(Share(part.source, told, part.amount_nano))
    return Explanation(
        line=reference,
        period=period,
        posted_nano=sum(part.amount_nano for part in parts),
        entries=parts,
        allocated=tuple(shares),
        owners=(),
        calls=NO_CALLS,
    )


def _is_beside(keys: set[PostingKey]) -> bool:
    """Whether no run posted any of it; what a close rounded of a line belongs to the line."""
    return any(key.source != ROUNDING for key in keys) and not any(map(is_from_events, keys))


def _adjusted(
    reference: str, period: str, adjustments: Sequence[Adjustment]
) -> tuple[Adjustment, str]:
    """The adjustment and the team whose line it is."""
    for each in adjustments:
        for key in adjustment_figures([each]):
            if each.changes and line_id(period, key) == reference:
                return each, key.team
    raise _unknown(reference)


def _period_of(tx: Tx, reference: str) -> str:
    if found := LINE.fullmatch(reference):
        return found[1]
    if found := ENTRY.fullmatch(reference):
        return entry_of(tx, found[1]).service_period
    raise _unknown(reference)


def _keys_of(
    tx: Tx, reference: str, period: str, into: str
) -> tuple[set[PostingKey], Mapping[PostingKey, int]]:
    """The keys of a reference, and what is booked on them; other keys may be among the booked."""
    found = ENTRY.fullmatch(reference)
    if found is None:
        stated = booked(tx, period, into, family=f"{CHARGE}:")
        stated |= booked(tx, period, into, family=SHOWN)
        keys = {
            key
            for key in stated
            if (place := line_key(key)) and line_id(period, place) == reference
        }
        return keys, stated
    postings = entry_of(tx, found[1]).postings
    if found[2]:
        number = int(found[2])
        if not 1 <= number <= len(postings):
            raise LedgerError(f"{found[1]} has {len(postings)} postings, not {number}")
        postings = postings[number - 1 : number]
    keys = {posting.key for posting in postings}
    places = {(key.account, key.team) for key in keys}
    if len(places) > _ASKED_MAX:
        return keys, booked(tx, period, into)
    held: dict[PostingKey, int] = {}
    for account, team in places:
        held |= booked(tx, period, into, family=account, team=team)
    return keys, held


def _unknown(reference: str) -> LedgerError:
    return LedgerError(
        f"{reference!r} is no line of a statement and no entry",
        next_step="take an id from `tallybook statement PERIOD --format json` or from the journal",
    )


def _entry_parts(tx: Tx, period: str, keys: set[PostingKey], into: str) -> tuple[EntryPart, ...]:
    """What each entry posted under the keys; one query per account, not the whole journal."""
    parts = []
    for account in sorted({key.account for key in keys}):
        teams = {key.team for key in keys if key.account == account}
        rows = tx.rows(
            sql_text(__package__, "entry_parts"),
            account=account,
            period=period,
            into=into,
            every_team=len(teams) > 1,
            team=min(teams),
        )
        for row in rows:
            posting = PostingKey._make(row[4:-1])
            if posting in keys:
                versions = json.loads(row.versions)
                part = EntryPart(
                    row.id, row.reason, account, posting.source, int(row.amount_nano), versions
                )
                parts.append((row.seq, part))
    return tuple(part for _, part in sorted(parts, key=itemgetter(0)))


def _wanted(
    allocation: Allocation, basis: Basis, keys: set[PostingKey]
) -> Mapping[PostingKey, int]:
    """What the accounts of the keys must stand at."""
    accounts = {key.account for key in keys}
    wanted: Counter[PostingKey] = Counter()
    for line in allocation.lines:
        if line.account in accounts:
            wanted[posting_key(line, basis)] += line.amount_nano
    return wanted


def _require_reproduced(
    reference: str,
    keys: set[PostingKey],
    held: Mapping[PostingKey, int],
    wanted: Mapping[PostingKey, int],
) -> None:
    """What the frozen versions give must be what is booked, key by key."""
    for key in keys:
        if key.source == "rounding":
            continue
        if held.get(key, 0) != wanted.get(key, 0):
            raise LedgerError(
                f"{reference}: {key.account} is booked at {held.get(key, 0)} nano and its versions"
                f" give {wanted.get(key, 0)}",
                where=key.source,
                next_step="run the period again if it is open, then: tallybook check",
            )


def _require_same_sum(reference: str, behind: Sequence[AttributedLine], calls: Calls) -> None:
    expected = (sum(x.calls for x in behind), sum(x.card_pico for x in behind))
    if expected != (calls.count, calls.card_pico):
        raise LedgerError(
            f"{reference}: the sheet says {expected[0]} calls and {expected[1]} pico, the sealed"
            f" events give {calls.count} and {calls.card_pico}",
            next_step="tallybook check",
        )


def parts_behind(
    sheet: Sheet, is_behind: Callable[[AttributedLine], bool]
) -> tuple[list[AttributedLine], list[AttributedLine]]:
    """Usage of which some payer's part is wanted: as it adds up, and the parts that are wanted.

    Calls are found by who decided on them and by provider, so usage of one such decision is wanted
    whole, also where a state of it has nothing for the payer: one free call has one payer.
    """
    users = joint_users(sheet.sums)
    decided, behind = set(), []
    for line in sheet.sums.lines:
        wanted = [part for part in _parts(line, users) if is_behind(part)]
        if wanted:
            decided.add(_use_of(line))
        behind += wanted
    return [line for line in sheet.sums.lines if _use_of(line) in decided], behind


def _use_of(line: AttributedLine) -> tuple[Decision, str]:
    return Decision(line.owner, line.payers, line.joint), line.provider


def _parts(line: AttributedLine, users: Users) -> Sequence[AttributedLine]:
    """The payers' parts of usage, as a sheet has them."""
    payers = payers_of(line.owner, line.payers, line.joint, users)
    if not payers:
        return [line]
    return transferred(Attribution((replace(line, payers=payers, joint=None),))).lines


class _View:
    """A month as its statement lines and postings see its usage."""

    def __init__(self, basis: Basis, sheet: Sheet, month: Month) -> None:
        self._basis, self._sheet, self._month = basis, sheet, month
        self._terms = terms_of(basis.books, basis.policy, basis.period)
        self._sides = sides_of(sheet, month.feature_of)

    def behind(
        self, reference: str, keys: set[PostingKey]
    ) -> tuple[list[AttributedLine], list[AttributedLine]]:
        """The usage behind a reference: as it adds up, and the payers' parts of it."""
        priced = {self._priced(use) for use in self._uses(keys)}
        is_line = LINE.fullmatch(reference) is not None
        teams = {key.team for key in keys}  # a line that something is posted on is its payer's

        def is_behind(part: AttributedLine) -> bool:
            return (
                any(self._feeds(part, key) for key in keys)
                or _bears(part) in priced
                or (
                    is_line
                    and (not teams or part.owner.team in teams)
                    and reference in self._shown_ids(part)
                )
            )

        return parts_behind(self._sheet, is_behind)

    def prices(self, keys: set[PostingKey]) -> list[Share]:
        """What was owed for which invocations, behind the legs of transfer prices."""
        return [
            Share(
                f"transfer price of {use.service}",
                f"{use.team} owes {use.executor}: {use.outcomes if per_outcome else use.calls}"
                f" {use.per}s at {price_text(use.price_nano)},"
                f" started by {' '.join(filter(None, _started(use)))}",
                use.amount_nano,
            )
            for use in self._uses(keys)
            for per_outcome in (use.per == "outcome",)
        ]

    def _uses(self, keys: set[PostingKey]) -> list[TransferUse]:
        legs = {line_key(key) or LineKey(*_dimensions(key)) for key in keys if is_price(key.detail)}
        return [
            use
            for use in self._month.uses
            if legs.intersection(price_keys(use, self._month.feature_of))
        ]

    def _priced(self, use: TransferUse) -> tuple[str, ...]:
        return (use.executor, use.service, *_started(use), use.purpose)

    def _shown_ids(self, part: AttributedLine) -> set[str]:
        """The lines that show this usage: the payer's, and notes."""
        period = self._sheet.period
        found = {note.id(period) for note in notes_of(part, self._terms, self._sides)}
        if not self._terms.is_pooled(part):
            found.add(line_id(period, usage_key(part, self._terms)))
        return found

    def _feeds(self, line: AttributedLine, key: PostingKey) -> bool:
        """Whether usage stands behind a posting, directly or as a driver's base."""
        pooled = self._terms.is_pooled(line)
        family = key.account.partition(":")[0]
        if is_price(key.detail) or (key.provider and key.provider != line.provider):
            return False
        pool = self._basis.policy.evaluation.pool
        if key.kind == "evaluation" or key.account == f"Pool:{pool}":
            return pooled
        if key.kind in ("usage", "transfer"):
            return self._same_use(line, key, family) and (family == "Cost" or not pooled)
        if key.kind == "markup":
            return not pooled and (line.owner.team, line.owner.feature) == (key.team, key.feature)
        if family in ("Accrued", "Variance") and not key.team:
            return bool(key.provider)
        return bool(key.team) and line.owner.team == key.team and family != "Source"

    def _same_use(self, line: AttributedLine, key: PostingKey, family: str) -> bool:
        o = line.owner
        if (o.team, o.feature) != (key.team, key.feature):
            return False
        if family in ("Cost", "Variance"):
            return (o.purpose, o.kind, o.service) == (key.purpose, key.kind, key.service)
        place, wanted = usage_key(line, self._terms), line_key(key)
        if key.detail and not is_standing(key.detail):
            # A commitment's unused part or overrun stands on all of the feature's usage.
            return place.kind == key.kind
        return place == wanted


def _bears(line: AttributedLine) -> tuple[str, ...]:
    """Who bears the cost of what is owed at a transfer price, as `_View._priced` names it."""
    o = line.owner
    if o.transfer != PRICE:
        return ()
    return (o.team, o.service, *o.started_by, o.purpose)


def _started(use: TransferUse) -> tuple[str, str]:
    """Team and feature that started what is owed for."""
    return (use.origin, use.origin_feature) if use.origin else (use.team, use.feature)


def _dimensions(key: PostingKey) -> tuple[str, ...]:
    """The dimensions of a leg that stands on no statement."""
    return (key.team, key.feature, key.purpose, key.kind, key.service, key.detail)


def _shares(
    keys: set[PostingKey],
    held: Mapping[PostingKey, int],
    allocation: Allocation,
    policy: PolicyVersion,
) -> list[Share]:
    shares = [
        Share(key.source, _posting_detail(key), held.get(key, 0))
        for key in sorted(keys)
        if held.get(key, 0)
    ]
    pools = {pool_of(key.detail) for key in keys if key.kind in ("pool", "evaluation")}
    pools |= {key.account.removeprefix("Pool:") for key in keys if key.source == FLOWS}
    for share in allocation.shares:
        if share.pool in pools:
            shares += [*_passed_on(share, allocation, policy), *_by_team(share)]
    return shares


def _owners(behind: Sequence[AttributedLine]) -> tuple[tuple[Owner, int], ...]:
    calls: Counter[Owner] = Counter()
    for line in behind:
        calls[line.owner] += line.calls
    return tuple(calls.most_common())


def _came(
    after: Sequence[AttributedLine], before: Sequence[AttributedLine]
) -> tuple[tuple[Owner, int], ...]:
    """The owners of the calls that came in between."""
    calls = Counter(dict(_owners(after)))
    calls.subtract(dict(_owners(before)))
    return tuple((owner, count) for owner, count in calls.most_common() if count > 0)


def _passed_on(share: PoolShare, allocation: Allocation, policy: PolicyVersion) -> list[Share]:
    """What pools that serve each other make of a pool's own amount; none if nothing flows."""
    what = f"pool {share.pool}"
    serves = {pool.id: pool.serves for pool in policy.pools}
    steps = []
    for flow in allocation.flows:
        part = serves[flow.giver][flow.taker]
        said = f"{format_percent(part)}, {policy.pool_method}"
        if flow.taker == share.pool:
            steps.append(Share(what, f"from pool {flow.giver}: serves {said}", flow.amount_nano))
        elif flow.giver == share.pool:
            steps.append(Share(what, f"to pool {flow.taker}: serves {said}", -flow.amount_nano))
    own_nano = share.total_nano - sum(step.amount_nano for step in steps)
    return [Share(what, "its own amount", own_nano), *steps] if steps else []


def _by_team(share: PoolShare) -> list[Share]:
    whole = sum(share.weights.values())
    instead = f", as {', '.join(share.empty)} is zero" if share.empty else ""
    return [
        Share(
            f"pool {share.label}",
            f"{team}: {share.driver} {share.weights[team]} of {whole}{instead}",
            nano,
        )
        for team, nano in share.amounts_nano.items()
    ]


def _posting_detail(key: PostingKey) -> str:
    named = (key.account, key.feature, key.purpose, key.provider, key.service, key.detail)
    versions = f"prices {key.price_version}" if key.price_version else ""
    return " ".join(part for part in (*named, versions) if part)
