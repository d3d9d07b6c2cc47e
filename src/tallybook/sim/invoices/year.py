"""The year: usage, closes on accrual, invoices a month later, true-ups, and what goes wrong.

Every step goes through the services that the commands call. After each month's invoices the books
must have found each difference that was put in, by its name and to the last pico, and owe each
provider what it bills.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from hashlib import sha256
from itertools import count, cycle
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tallybook.books.documents import read_folder
from tallybook.clock import FixedClock, Period, format_instant
from tallybook.close.close import close
from tallybook.errors import InvoiceError, StoreError
from tallybook.ledger.balance import booked
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.money import NANO_PER_CENT, format_units, nano_of_pico
from tallybook.post.apply import apply_documents
from tallybook.post.run import run
from tallybook.reconcile.accrue import accrue
from tallybook.reconcile.bring_in import BroughtIn, Terms, bring_in
from tallybook.reconcile.model import DAY_US, Told
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.reconcile import reconcile
from tallybook.reconcile.true_up import true_up
from tallybook.report.issue import prepare_issue
from tallybook.sim.invoices import terms
from tallybook.sim.invoices.company import MONTHS, ORG, POLICY, PROVIDERS, SMALL, YEAR, prices_file
from tallybook.sim.invoices.finance import adjusted, disputed, rejected
from tallybook.sim.invoices.forms import (
    DOLLARS_PER_EURO,
    EUROS_PER_DOLLAR,
    PLAIN_MAP,
    exchange_pico,
    suffix,
    written,
)
from tallybook.sim.invoices.inject import carried_over, injected, month_bill, possible, settled
from tallybook.sim.invoices.model import KEY, Cause, MonthBill, Sold
from tallybook.sim.invoices.proofs import (
    named_in,
    nominal,
    prove_books,
    prove_result,
    prove_rolled,
    truth_of,
)
from tallybook.sim.oracle import NANO, Expectation, expected
from tallybook.sim.oracle.beside import Beside, Bill
from tallybook.sim.places import Places
from tallybook.sim.world.crash import Moments, SimulatedCrash, counted, raise_crash
from tallybook.sim.world.hands import copy_books
from tallybook.sim.world.live import memory_folder
from tallybook.sim.world.model import BrokenError, Event
from tallybook.sim.world.prove import CHEAP, prove_invariants, require
from tallybook.store import Store
from tallybook.store.commands import Command

Result = TypeVar("Result")
ACTOR: Final = "year"
PICO: Final = 10**12
DISPUTED: Final = 3
"""A line of every third month is disputed."""
COMMITTED: Final = ("own:minimum", "own:commitment")
LATE_MONTHS: Final = 2
"""How long after its turn the late invoice comes."""
_EURO: Final = "EUR"
_RATE_DATE: Final = "2026-01-01"


@dataclass(frozen=True, slots=True)
class Year:
    """What a year is drawn from.

    Args:
        seed: the same one, the same year.
        months: how many of it.
        kinds: what is put in; empty: everything that a form can say, at random.
        providers: which bill; empty: all.
        crashes: of a hundred accruals, imports and true-ups, how many die on the way.
        terms: whether it owes anything beside usage, and the oracle follows the books.
        store: URL of a PostgreSQL database that takes the books; '' is a file.
    """

    seed: int
    months: int = 12
    kinds: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    crashes: int = 25
    terms: bool = True
    store: str = ""


@dataclass(slots=True)
class LivedYear:
    """What happened: how often, and the first proof that failed, empty if all held."""

    tally: Counter[str] = field(default_factory=Counter)
    failure: str = ""


def live_year(year: Year) -> LivedYear:
    """Live a year to its end, or to the first proof that fails."""
    lived = LivedYear()
    with (
        TemporaryDirectory(prefix="tallybook-year-", dir=memory_folder()) as folder,
        Places(year.store) as places,
    ):
        life = _Life(year, Path(folder), lived.tally, places)
        try:
            life.live()
        except BrokenError as broken:
            lived.failure = str(broken)
        finally:
            life.store.close()
    return lived


class _Life:
    """One year on one set of books."""

    def __init__(self, year: Year, folder: Path, tally: Counter[str], places: Places) -> None:
        self._year, self._folder, self._tally = year, folder, tally
        self._luck = Random(f"year {year.seed}")  # noqa: S311 - a simulation
        self._places = places
        self.store = places.open(folder / "books")
        self._clock = FixedClock(MONTHS[0].bounds_us(ZoneInfo("UTC"))[0])
        self._subjects = count()
        self._sold = [s for s in PROVIDERS if not year.providers or s.name in year.providers]
        self._kinds = self._chosen()
        self._bills: dict[tuple[str, str], MonthBill] = {}
        self._notes: dict[tuple[str, str], int] = defaultdict(int)
        self._files = self._drawn_files()
        self._events: dict[str, list[Event]] = {}
        self._expected: dict[str, Expectation] = {}
        self._beside = Beside(self._files)
        self._in: set[tuple[str, str]] = set()
        self._late = self._drawn_late()
        self._result: Fraction | None = None

    def _chosen(self) -> Iterator[Sequence[str]]:
        """What each provider and month gets: one kind after the other, or a mixture."""
        if self._year.kinds:
            return cycle([self._year.kinds])
        return iter(lambda: (), None)

    def live(self) -> None:
        """Month after month: usage and close, then the invoices of the month before."""
        self._apply()
        months = MONTHS[: self._year.months]
        for number, period in enumerate(months):
            self._use(period)
            self._advance(period.next(), 2)
            self._close(period)
            if self._year.terms:
                self._finance(period)
            if number:
                self._invoices(months[number - 1])
            prove_invariants(self.store, CHEAP)
        self._advance(months[-1].next().next(), 2)
        self._invoices(months[-1])
        self._restate(self._luck.choice(months))
        self._credit_note(months[0])
        if self._result is not None:
            self._next_year()
        prove_invariants(self.store)

    def _finance(self, period: Period) -> None:
        """At the year's end its accounts are closed; of some months a line is disputed."""
        if period == MONTHS[-1]:
            every = [self._expected[name].balances for name in self._events]
            every += [self._beside.about(name) for name in self._events]
            self._result = sum(map(nominal, every), Fraction(0))
            prove_rolled(self.store, period, YEAR, self._result)
            self._tally["years closed"] += 1
        if period.month % DISPUTED == 1:
            self._dispute(period, is_right=bool(self._luck.randrange(2)))

    def _dispute(self, period: Period, *, is_right: bool) -> None:
        """A line of a closed month is disputed, and ends by an adjusting entry or a rejection."""
        now_us = self._clock.now_us()
        team = disputed(self.store, period, self._luck, ACTOR, now_us)
        nano = NANO_PER_CENT * self._luck.randrange(1, 10_000)
        if is_right:
            self._under_crashes(
                lambda store: adjusted(store, period, nano, ACTOR, now_us), is_noted=True
            )
            sides = {f"Charge:{team}:adjustment": -nano, "Variance:goodwill": nano}
            told = {account: Fraction(amount, NANO) for account, amount in sides.items()}
            self._beside.by_hand(str(period), "adjusted", told)
        else:
            rejected(self.store, now_us)
        self._prove_books(str(period))
        self._tally["disputes"] += 1

    def _next_year(self) -> None:
        """The first month of the next year closes: the year that is over is not closed again."""
        assert self._result is not None, "the year is over"
        january = MONTHS[-1].next()
        self._events[str(january)] = []
        self._close(january)
        self._prove_books(str(january))
        prove_result(self.store, YEAR, self._result)

    def _advance(self, period: Period, day: int) -> None:
        at_us = period.bounds_us(ZoneInfo("UTC"))[0] + day * DAY_US
        self._clock.advance(max(0, at_us - self._clock.now_us()))

    def _apply(self) -> None:
        folder = self._folder / "files"
        folder.mkdir()
        for kind, text in self._files.items():
            (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")
        command = Command("apply", {"books": "files"}, ACTOR)
        apply_documents(self.store, read_folder(folder), command, self._clock.now_us())

    def _drawn_late(self) -> tuple[str, Period] | None:
        """An invoice that comes two months after its turn, when later ones of its provider are in.

        Nothing is cut off at the ends of its month: between invoices that are not in, nobody can
        tell on which day it is billed.
        """
        months = MONTHS[1 : self._year.months - LATE_MONTHS]
        if not (self._year.terms and months):
            return None
        return self._luck.choice(self._sold).name, self._luck.choice(months)

    def _drawn_files(self) -> dict[str, str]:
        """The policy files, as text."""
        policy, prices = dict(POLICY["versions"][0]), prices_file()
        if self._year.terms:
            policy |= terms.POLICY
            prices |= terms.terms(self._luck)
        files = {"org": ORG, "policy": {"versions": [policy]}, "prices": prices}
        return {kind: json.dumps(data) for kind, data in files.items()}

    def _use(self, period: Period) -> None:
        """Draw each provider's month, and ingest what was metered of it."""
        events: list[Event] = []
        for sold in self._sold:
            bill = month_bill(self._luck, sold, period)
            before = self._bills.get((sold.name, str(period.previous())))
            if before:
                carried_over(before, bill)
            if sold.name == "azure" and period.month % 3 == 0:
                bill.currency = _EURO
                bill.rates = dict.fromkeys(range(bill.days), 1 / EUROS_PER_DOLLAR)
            injected(self._luck, bill, self._kinds_for(sold, bill))
            self._bills[sold.name, str(period)] = bill
            events += _events(bill)
            self._ingest(events[-bill.days :])
        if self._year.terms and "azure" in {sold.name for sold in self._sold}:
            start_us = period.bounds_us(ZoneInfo("UTC"))[0]
            carried = list(terms.capacity_calls(self._luck, period, start_us))
            self._ingest(carried)
            events += carried
        self._events[str(period)] = events
        if self._year.terms:
            self._beside.use(str(period), events)

    def _ingest(self, events: Sequence[Event]) -> None:
        path = self._folder / "calls.jsonl"
        path.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
        ingest(
            self.store, Jsonl([path]), clock=self._clock,
            new_id=lambda: f"s-{next(self._subjects)}", on_progress=None,
            reject_folder=self._folder / "rejects",
        )  # fmt: skip
        self._tally["calls"] += len(events)

    def _kinds_for(self, sold: Sold, bill: MonthBill) -> Iterator[str]:
        wanted = next(self._kinds)
        can = [
            kind
            for kind in possible(sold)
            if not (kind == "decimals" and bill.currency != "USD")
            and not (kind == "cut_off" and self._may_not_be_cut_off(bill))
        ]
        chosen = [kind for kind in wanted if kind in can]
        if not wanted:
            chosen = self._luck.sample(can, self._luck.randrange(len(can) + 1))
        if not wanted and self._is_late(bill):
            # What it bills of a commitment the invoices that overtook it may have billed already.
            first = [kind for kind in COMMITTED if kind in can][:1]
            chosen = [*first, *(kind for kind in chosen if kind not in first)]
        # One reading of a series in which no quantities are stated: a ratio or single days.
        if "ratio" in chosen:
            chosen = ["ratio"]
        self._tally["differences"] += len(chosen)
        return iter(chosen)

    def _is_late(self, bill: MonthBill) -> bool:
        place = (bill.sold.name, bill.period)
        return self._late is not None and place == (self._late[0], str(self._late[1]))

    def _may_not_be_cut_off(self, bill: MonthBill) -> bool:
        name, late = self._late or ("", MONTHS[0])
        beside_late = bill.period in (str(late), str(late.previous()))
        return self._year.months == 1 or (bill.sold.name == name and beside_late)

    def _close(self, period: Period) -> None:
        run(self.store, period, clock=self._clock, actor=ACTOR)
        self._accrue(period)
        close(self.store, period, issuer=prepare_issue, clock=self._clock, actor=ACTOR)
        self._tally["closes"] += 1

    def _accrue(self, period: Period) -> None:
        """Accrue what stands beside usage; again it posts nothing."""

        def act(store: Store) -> tuple[str, ...]:
            return accrue(store, period, clock=self._clock, actor=ACTOR).entries

        self._tally["accruals"] += len(self._under_crashes(act, is_noted=True))
        again = act(self.store)
        require("accrued twice", ok=not again, detail=f"{period}: posted {again}")
        if self._year.terms:
            self._beside.accrue(str(period))
            late = self._late[1] if self._late else period
            for month in {str(period.previous()), str(period), str(min(late, period))}:
                self._prove_books(month)

    def _prove_books(self, period: str) -> None:
        """Every account holds about a month what the oracle says."""
        if period not in self._events:
            return
        if period not in self._expected:
            events = self._events[period]
            self._expected[period] = expected(self._files, {}, events, {}, period)
        prove_books(self.store, period, self._expected[period], self._beside.about(period))
        self._tally["months proven by the oracle"] += 1

    def _invoices(self, period: Period) -> None:
        """The invoices of a month come in any order, some twice, and the process dies at times."""
        order = [sold for sold in self._sold if (sold.name, period) != self._late]
        self._luck.shuffle(order)
        for sold in order:
            self._invoice(sold, period)
        self._settle(period)
        if self._late and self._late[1] == period.previous().previous():
            late = self._late[1]
            self._invoice(next(sold for sold in self._sold if sold.name == self._late[0]), late)
            self._settle(late)
            self._tally["late invoices"] += 1
        if (self._sold[0].name, str(period.previous())) in self._bills:
            self._settle(period.previous())

    def _settle(self, period: Period) -> None:
        """Prove and true up what is billed of a month."""
        if not any(month == str(period) for _, month in self._in):
            return
        self._prove(period)
        self._true_up(period)

    def _invoice(self, sold: Sold, period: Period) -> None:
        """An invoice comes, perhaps twice."""
        bill = self._bills[sold.name, str(period)]
        before = self._bills.get((sold.name, str(period.previous())))
        if self._year.terms:
            terms.bill_terms(self._luck, bill, self._beside)
        first = self._brought(bill)
        require("new invoice", ok=first.became == "new", detail=f"{sold.name} {period}: {first}")
        self._in.add((sold.name, str(period)))
        if self._luck.randrange(3) == 0:
            again = self._brought(bill)
            require("again", ok=again.became == "unchanged", detail=f"{sold.name}: {again}")
            self._tally["duplicates"] += 1
        if before:
            settled(before)

    def _brought(self, bill: MonthBill) -> BroughtIn:
        def act(store: Store) -> BroughtIn:
            made = bring_in(store, *self._told(bill, written(bill)), self._clock.now_us())
            assert len(made) == 1, "one invoice of one month"
            return made[0]

        self._tally["invoices"] += 1
        return self._under_crashes(act)

    def _told(self, bill: MonthBill, text: str) -> tuple[Told, Terms, Command]:
        """A file of the provider, read."""
        path = self._folder / f"{bill.sold.name}-{bill.period}{suffix(bill)}"
        path.write_text(text, encoding="utf-8")
        mapping = None
        if bill.sold.form == "plain-invoice":
            form = json.loads(json.dumps(PLAIN_MAP))
            form["invoice"]["number"] = f"S-{bill.period}"
            mapping = msgspec.convert(form, MapForm)
        window = Period.parse(bill.period).bounds_us(ZoneInfo("UTC"))
        told = read_files([path], Ask(bill.sold.name, window), mapping)
        files = ((path.name, sha256(text.encode()).hexdigest()),)
        terms = Terms(bill.sold.name, files, {_EURO: (DOLLARS_PER_EURO, _RATE_DATE)})
        return told, terms, Command("invoice import", {"file": path.name}, ACTOR)

    def _under_crashes(self, act: Callable[[Store], Result], *, is_noted: bool = False) -> Result:
        """Carry something out; now and then it dies on the way, and is wholly out or wholly in.

        A twin of the books carries it out in peace and says where the books must arrive.
        """
        if self._luck.randrange(100) >= self._year.crashes:
            return act(self.store)
        home, twin_home = self._folder / "books", self._folder / "twin"
        before = _print(self.store)
        self.store.close()
        rmtree(twin_home, ignore_errors=True)
        copy_books(home, twin_home)
        twin, moments = Store.open(twin_home), Moments()
        with counted(moments):
            result = act(twin)
        after = _print(twin)
        twin.close()
        self._die(act, Moments(self._luck.randrange(1, moments.passed + 2), self._death()))
        self.store = Store.open(home)
        found = _print(self.store)
        require("INV-08", ok=found in (before, after), detail="an import or true-up is half done")
        if not (is_noted and found == after):  # an act on the chain says each time that it was done
            act(self.store)
        arrived = _print(self.store) == after
        require("INV-08", ok=arrived, detail="it was tried again and came out elsewhere")
        return result

    def _death(self) -> Callable[[], None]:
        """On a server every other command dies by its connection."""
        home = self._folder / "books"
        is_cut = bool(self._year.store) and bool(self._luck.randrange(2))
        return partial(self._places.cut, home) if is_cut else raise_crash

    def _die(self, act: Callable[[Store], Result], moments: Moments) -> None:
        dying = Store.open(self._folder / "books")
        try:
            with counted(moments):
                act(dying)
        except SimulatedCrash:
            self._tally["crashes"] += 1
        except StoreError:
            self._tally["cuts"] += 1
        dying.close()

    def _true_up(self, period: Period) -> None:
        """Post what invoices say; again it posts nothing. Then what is owed is what is billed."""

        def act(store: Store) -> tuple[str, ...]:
            return true_up(store, period, clock=self._clock, actor=ACTOR).entries

        self._under_crashes(act)
        again = act(self.store)
        require("true-up twice", ok=not again, detail=f"{period}: posted {again}")
        with self.store.read() as tx:
            held = booked(tx, str(period))
        for sold in self._sold:
            if (sold.name, str(period)) not in self._in:
                continue
            bill = self._bills[sold.name, str(period)]
            billed_pico = bill.total_pico + exchange_pico(bill) + self._noted(bill)
            billed = int(nano_of_pico(billed_pico))
            owed = -sum(
                n for k, n in held.items()
                if k.account == f"Payable:{sold.name}" and not k.source.startswith("prepaid:")
            )  # fmt: skip
            told = f"{period}: {sold.name} bills {billed} nano, the books owe {owed}"
            require("payable", ok=owed == billed, detail=told)
            if self._year.terms:
                self._beside.true_up(Bill(sold.name, str(period), Fraction(billed_pico, PICO),
                                          _dollars(truth_of(bill)), "bee"))  # fmt: skip
        if self._year.terms:
            self._prove_books(str(period))
        self._tally["true-ups"] += 1

    def _noted(self, bill: MonthBill) -> int:
        return self._notes[bill.sold.name, bill.period]

    def _prove(self, period: Period) -> None:
        """The books have found each difference, by its name and to the last pico (INV-13)."""
        found = reconcile(self.store, period)
        for each in found.providers:
            if (each.provider, str(period)) not in self._in:
                continue
            bill = self._bills[each.provider, str(period)]
            wanted, named = truth_of(bill), named_in(each)
            told = f"{period}: {each.provider}: put in {wanted}, found {named}"
            require("INV-13", ok=wanted == named, detail=told)
            self._tally["variances found"] += len(named)

    def _restate(self, period: Period) -> None:
        """A report of a closed month comes again with other figures, then once more as it was."""
        able = [sold for sold in self._sold if "credit" in sold.own]
        if not able:
            return
        bill = self._bills[self._luck.choice(able).name, str(period)]
        old = written(bill)
        injected(self._luck, bill, iter(["own:credit"]))
        made = self._brought(bill)
        told = f"{bill.sold.name} {period}: {made}"
        require("restated", ok=made.became == "superseded", detail=told)
        self._refused(bill, old)
        self._prove(period)
        self._true_up(period)
        self._tally["restated"] += 1

    def _refused(self, bill: MonthBill, text: str) -> None:
        """An older report that comes late does not take the place of a newer one."""
        before = _print(self.store)
        try:
            bring_in(self.store, *self._told(bill, text), self._clock.now_us())
        except InvoiceError:
            pass
        else:
            require("superseded", ok=False, detail=f"{bill.sold.name}: an older report was taken")
        require("INV-08", ok=_print(self.store) == before, detail="a refusal changed the books")

    def _credit_note(self, period: Period) -> None:
        """A credit note for a closed month is an invoice of its own, and posts to the open one."""
        bill = self._bills.get((SMALL.name, str(period)))
        if bill is None:
            return
        pico = -10 * self._luck.randrange(10**9, 10**11)
        window = period.bounds_us(ZoneInfo("UTC"))
        form = MapForm(invoice=InvoiceForm(number=f"CN-{period}", currency="USD"))
        told = typed([f"credit {format_units(pico, 12)}"], Ask(SMALL.name, window), form)
        terms = Terms(SMALL.name, (), {})

        def act(store: Store) -> int:
            command = Command("invoice enter", {}, ACTOR)
            return len(bring_in(store, told, terms, command, self._clock.now_us()))

        self._under_crashes(act)
        bill.put("credit", "", pico)
        self._notes[SMALL.name, str(period)] += pico
        self._prove(period)
        self._true_up(period)
        self._tally["credit notes"] += 1


def _print(store: Store) -> tuple[object, ...]:
    """The head of the chain and the size of every table that an invoice touches."""
    tables = ("provider_invoice", "invoice_version", "invoice_line", "chain", "posting")
    counts = ", ".join(f"(SELECT COUNT(*) FROM {table}) AS {table}" for table in tables)
    with store.read() as tx:
        return (
            tx.scalar("SELECT hash FROM chain ORDER BY seq DESC"),
            *(tx.row(f"SELECT {counts}") or ()),
        )


def _dollars(truth: Mapping[Cause, int]) -> dict[Cause, Fraction]:
    return {name: Fraction(pico, PICO) for name, pico in truth.items()}


def _events(bill: MonthBill) -> Iterator[Event]:
    """One call of each day, as a gateway tells of it."""
    start_us = Period.parse(bill.period).bounds_us(ZoneInfo("UTC"))[0]
    for day in range(bill.days):
        tokens = {name: bill.metered[day, name] for name in bill.sold.prices}
        yield {
            "event_id": f"{bill.sold.name}-{bill.period}-{day}",
            "source": "gateway",
            "started_at": format_instant(start_us + day * DAY_US + DAY_US // 2),
            "provider": bill.sold.name,
            "model": bill.sold.model,
            "tokens": tokens,
            "team": "ant",
            "feature": "bot",
            "purpose": "production",
            "key_id": KEY,
            "status": "client_aborted" if day in bill.cut_off else "ok",
        }
