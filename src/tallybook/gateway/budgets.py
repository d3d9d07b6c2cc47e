"""Budgets in the way of a call: let in, made to wait, passed to a cheaper model, or refused.

`admit` is asked before a call goes out and `settle` when it has ended. Everything between is whole
nano held in this process (`tallybook.budget.hold`); the book of the node is read only when a slice
is used up. A call that must wait because others hold what is left is asked for again when one of
them ends, in the order in which they came.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from tallybook.budget.bound import Usual, bound_nano, estimate
from tallybook.budget.hold import Holder, Reservation, Room
from tallybook.budget.limits import Limits, kept_accounts
from tallybook.budget.model import Act, Estimate, Limit
from tallybook.clock import Clock
from tallybook.errors import TallybookError
from tallybook.gateway.call import Call, Ending
from tallybook.gateway.model import BudgetPolicy, Refusal
from tallybook.gateway.notices import Notices
from tallybook.gateway.pending import Pending
from tallybook.gateway.published import Published
from tallybook.gateway.refusals import refusal_of, remaining_line
from tallybook.gateway.results import batch_of
from tallybook.gateway.sizing import sized, with_model
from tallybook.meter.usage.model import UsageReading
from tallybook.money import nano_covering
from tallybook.rate.model import PriceKey
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt

_TICK_S: Final = 0.02
_MINUTE_US: Final = 60_000_000
_FORGET_AFTER: Final = 240
"""Half seconds after which a budget that nobody uses is forgotten by this process."""
_BATCH: Final = "batch"
_LATER: Final = "later-"
"""How the name begins under which work holds a budget that goes on without its call."""
_UNDERS_MAX: Final = 20_000


class _Under:
    """The limits that some calls are under, and what this process has of each."""

    __slots__ = ("is_enforced", "least_nano", "limits", "rooms")

    def __init__(self, limits: tuple[Limit, ...], holder: Holder) -> None:
        self.limits = limits
        self.rooms = [holder.room_of(limit) for limit in limits]
        enforced = [limit.limit_nano for limit in limits if limit.is_enforced]
        self.is_enforced = bool(enforced)
        self.least_nano = min(enforced, default=0)


@dataclass(slots=True)
class _Ask:
    """A call that asks to be let in."""

    call: Call
    limits: tuple[Limit, ...]
    estimate: Estimate
    go: Callable[[], None]
    refuse: Callable[[Refusal], None]
    until_s: float
    beyond: set[str] = field(default_factory=set)
    swapped: str = ""
    short: str = ""


class Budgets:
    """See above. One for each process.

    Args:
        policy: of the configuration.
        holder: what this process holds.
        published: the limits in force.
        notices: where acts at a limit are noted.
        pending: work whose usage appears later, and how large it is.
        clock: which month it is.
        time: of the loop, in seconds.
        health: told of faults of ours.
    """

    def __init__(
        self,
        policy: BudgetPolicy,
        holder: Holder,
        published: Published,
        notices: Notices,
        pending: Pending,
        *,
        clock: Clock,
        time: Callable[[], float],
        health: Health,
    ) -> None:
        self._policy = policy
        self._holder = holder
        self._published = published
        self._prices = published.prices()
        self._notices = notices
        self._pending = pending
        self._clock = clock
        self._time = time
        self._health = health
        self._usual = Usual()
        self._waiting: deque[_Ask] = deque()
        self._is_due = False
        self._lacking: set[str] = set()
        self._unders: dict[int, _Under] = {}
        self.wait_s = policy.wait_s

    @property
    def waiting(self) -> int:
        """Calls that wait for others to end."""
        return len(self._waiting)

    # -- before a call goes out

    def admit(self, call: Call, go: Callable[[], None], refuse: Callable[[Refusal], None]) -> None:
        """Let a call in: one of the two is called, now or later, once.

        Args:
            call: that asks. What it holds is noted on it; under a downgrade its model changes.
            go: it may go out.
            refuse: it may not, and why.
        """
        attempt = call.attempt
        if attempt is None or call.treatment not in ("metered", "batch"):
            go()
            return
        months = self._published.at(attempt.started_us)
        if months is None:
            self._blind(call, "no limits are known here", go, refuse)
            return
        try:
            under = self._under_of(self._limits_of(months, attempt))
        except OSError as error:
            self._health.failed("budgets", error)
            self._blind(call, "too many budgets are in use here", go, refuse)
            return
        if not under.is_enforced:
            if under.limits:
                call.held = Reservation(under.rooms, 0)
            go()
            return
        found = self._estimate(call, under)
        if isinstance(found, Refusal):
            refuse(found)
            return
        if not (self._lacking or self._policy.header):
            # Nearly every call: there is room in this process.
            held = self._holder.reserve(under.rooms, found)
            if held is not None:
                call.held = held
                go()
                return
        until_s = self._time() + self._policy.wait_s
        ask = _Ask(call, under.limits, found, go, refuse, until_s)
        ask.short = self._behind(under.limits)
        if ask.short or not self._decided(ask):
            self._lacking.add(ask.short)
            self._waiting.append(ask)
            self._wake()

    def _under_of(self, limits: tuple[Limit, ...]) -> _Under:
        """The same limits come with every call of a kind: what there is of them is kept at hand."""
        found = self._unders.get(id(limits))
        if found is None or found.limits is not limits:
            if len(self._unders) >= _UNDERS_MAX:
                self._unders.clear()
            found = self._unders[id(limits)] = _Under(limits, self._holder)
        return found

    def _behind(self, limits: tuple[Limit, ...]) -> str:
        """Which of these budgets others wait for already; '' if none."""
        if not self._lacking:
            return ""
        return next((one.account for one in limits if one.account in self._lacking), "")

    def _limits_of(self, months: Limits, attempt: Attempt) -> tuple[Limit, ...]:
        tags = attempt.tags
        return months.of(
            tags.get("team", ""), tags.get("feature", ""), attempt.key_id, tags.get("customer", "")
        )

    def _estimate(self, call: Call, under: _Under) -> Estimate | Refusal:
        """What the call may cost, or a refusal because nobody knows."""
        attempt = call.attempt
        assert attempt is not None
        if call.treatment == "batch":
            return self._estimate_batch(call, attempt, under)
        asked = attempt.asked
        size, tier = sized(asked, call.body, self._policy.output_tokens)
        usual = self._usual.of(attempt.tags.get("feature", ""), asked.model)
        prices = None
        if asked.model:
            key = PriceKey(asked.provider, asked.model, tier, call.upstream.region)
            prices = self._prices.vector(key, attempt.started_us, size.input_tokens or 0)
        if prices is None and self._policy.unpriced == "refuse":
            return self._unpriced(call, under, asked.model)
        bound = None if prices is None else bound_nano(prices, size)
        return estimate(bound, usual, is_stated=size.is_stated, least_limit_nano=under.least_nano)

    def _estimate_batch(self, call: Call, attempt: Attempt, under: _Under) -> Estimate | Refusal:
        """What a batch may cost, by its requests if they came this way, else by what is usual."""
        usual = self._usual.of(attempt.tags.get("feature", ""), _BATCH)
        groups = batch_of(call, self._pending, self._policy.output_tokens)
        bounds: list[int | None] = []
        for model, group in groups.items():
            provider, region = attempt.asked.provider, call.upstream.region
            prices = None
            for tier in (_BATCH, ""):  # what has no price of its own for batches costs no more
                key = PriceKey(provider, model, tier, region)
                prices = prices or self._prices.vector(key, attempt.started_us, group.most)
            if prices is None and self._policy.unpriced == "refuse":
                return self._unpriced(call, under, model)
            bounds.append(None if prices is None else bound_nano(prices, group.size))
        known = [one for one in bounds if one is not None]
        bound = sum(known) if known and len(known) == len(bounds) else None
        is_stated = all(group.size.is_stated for group in groups.values())
        return estimate(bound, usual, is_stated=is_stated, least_limit_nano=under.least_nano)

    def _unpriced(self, call: Call, under: _Under, model: str) -> Refusal:
        limit = next(one for one in under.limits if one.is_enforced)
        self._note(call, limit, "unpriced", 0, f"no price of {model!r}")
        return refusal_of("unpriced", limit, call, 0, 0, self._policy, model)

    def _decided(self, ask: _Ask) -> bool:
        """Try to let a call in; whether it was decided, or has to wait."""
        try:
            return self._tried(ask)
        except OSError as error:
            self._health.failed("budgets", error)
            self._blind(ask.call, "the book of this gateway cannot be written", ask.go, ask.refuse)
            return True

    def _tried(self, ask: _Ask) -> bool:
        holder, call = self._holder, ask.call
        for _ in range(2 * len(ask.limits) + 2):
            rooms = [holder.room_of(limit) for limit in ask.limits]
            beyond = [room for room in rooms if room.limit.budget in ask.beyond]
            held = holder.reserve(rooms, ask.estimate, beyond)
            if held is None:
                ceilings = [_ceiling(ask, room) for room in rooms]
                short = holder.draw(rooms, ask.estimate.need_nano, ceilings, beyond)
                if short:
                    if holder.is_shared and holder.book.blind:
                        self._blind(call, holder.book.blind, ask.go, ask.refuse)
                        return True
                    if not self._is_spent(ask, short[0]):
                        ask.short = short[0].account
                        return False
                    refusal = self._over(ask, short[0])
                    if refusal is None:
                        continue
                    ask.refuse(refusal)
                    return True
                held = holder.reserve(rooms, ask.estimate, beyond)
            if held is not None:
                call.held = held
                self._mark(ask)
                ask.go()
                return True
        return False

    def _is_spent(self, ask: _Ask, room: Room) -> bool:
        """Whether what lacks is spent, and not only held by calls that are under way."""
        book, ceiling = self._holder.book, _ceiling(ask, room)
        need_nano = ask.estimate.need_nano + room.used - room.told
        if self._holder.is_shared:
            told = book.full.get(room.account)
            return told is not None and told[0] + ask.estimate.need_nano > ceiling
        return book.account(room.account).spent_nano + need_nano > ceiling

    def _over(self, ask: _Ask, room: Room) -> Refusal | None:
        """What the owner chose for beyond the limit; None if the call may go on beyond it."""
        limit = room.limit
        spent_nano = self._spent(room)
        is_beyond = limit.budget in ask.beyond
        if not is_beyond and limit.over == "throttle":
            now_us = self._clock.now_us()
            most = max(1, limit.calls_per_minute // max(self._published.nodes, 1))
            if self._holder.book.minute(room.account, now_us // _MINUTE_US, most):
                ask.beyond.add(limit.budget)
                return None
            wait_s = (_MINUTE_US - now_us % _MINUTE_US) // 1_000_000 + 1
            return self._refused("throttle", ask, room, spent_nano, wait_s)
        if not is_beyond and limit.over == "downgrade" and self._swapped(ask, limit):
            return None
        act: Act = "approval" if limit.over == "approval" else "stop"
        return self._refused(act, ask, room, spent_nano, None)

    def _swapped(self, ask: _Ask, limit: Limit) -> bool:
        """Have the allowed cheaper model answer; whether there is one."""
        call, attempt = ask.call, ask.call.attempt
        assert attempt is not None
        asked = attempt.asked
        instead = limit.downgrade.get(asked.model)
        if instead is None:
            if asked.model in limit.downgrade.values():  # it is the cheaper model already
                ask.beyond.add(limit.budget)
                return True
            return False
        try:
            body = with_model(call.body, instead)
        except (ValueError, msgspec.MsgspecError):
            return False
        tags = {**attempt.tags, "labels.downgraded_from": asked.model}
        asked = msgspec.structs.replace(asked, model=instead)
        call.asked, call.body, call.standing = asked, body, None
        call.attempt = msgspec.structs.replace(attempt, asked=asked, tags=tags)
        found = self._estimate(call, self._under_of(ask.limits))
        if isinstance(found, Refusal):
            return False
        ask.estimate, ask.swapped = found, attempt.asked.model
        ask.beyond.add(limit.budget)
        self._note(
            call, limit, "downgrade", found.hold_nano, "", instead=instead, model=ask.swapped
        )
        return True

    def _refused(
        self, act: Act, ask: _Ask, room: Room, spent_nano: int, retry_after_s: int | None
    ) -> Refusal:
        need_nano = ask.estimate.need_nano
        refusal = refusal_of(act, room.limit, ask.call, spent_nano, need_nano, self._policy)
        self._note(ask.call, room.limit, act, need_nano, refusal.message, spent_nano=spent_nano)
        return refusal if retry_after_s is None else replace(refusal, retry_after_s=retry_after_s)

    def _mark(self, ask: _Ask) -> None:
        """What the head of the answer says of budgets."""
        call = ask.call
        if ask.swapped and call.asked is not None:
            call.lines += (
                f"x-tallybook-downgraded: {ask.swapped} -> {call.asked.model}\r\n".encode()
            )
        if self._policy.header:
            left = [(limit, self._left(limit)) for limit in ask.limits]
            call.lines += remaining_line(left)

    def _left(self, limit: Limit) -> int:
        room = self._holder.room_of(limit)
        return limit.limit_nano - self._spent(room)

    def _spent(self, room: Room) -> int:
        """What is known to be spent of a budget, here and elsewhere."""
        book = self._holder.book
        known = book.account(room.account).spent_nano
        if self._holder.is_shared and room.account in book.full:
            known = max(known, book.full[room.account][0])
        return room.limit.spent_before_nano + known + room.used - room.told

    def _blind(
        self, call: Call, why: str, go: Callable[[], None], refuse: Callable[[Refusal], None]
    ) -> None:
        """Nobody can say what is left: refused, or let through by policy and noted."""
        if self._policy.blind == "admit":
            self._note(call, None, "blind", 0, f"let through: {why}")
            call.lines += b"x-tallybook-budget: unknown\r\n"
            go()
            return
        self._note(call, None, "blind", 0, f"refused: {why}")
        text = f"This gateway cannot say what is left of the budgets: {why}. Try again."
        refuse(Refusal(503, "budget_unknown", text, 5))

    def _note(
        self,
        call: Call,
        limit: Limit | None,
        act: Act,
        estimate_nano: int,
        reason: str,
        *,
        spent_nano: int = 0,
        instead: str = "",
        model: str = "",
    ) -> None:
        attempt = call.attempt
        assert attempt is not None
        self._notices.note(
            at_us=attempt.started_us,
            limit=limit,
            act=act,
            attempt=attempt,
            estimate_nano=estimate_nano,
            spent_nano=spent_nano,
            reason=reason,
            instead=instead,
            model=model or attempt.asked.model,
        )

    # -- calls that wait

    def _wake(self) -> None:
        if self._waiting and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(_TICK_S, self._pump)

    def _pump(self) -> None:
        """Ask again for those that wait, in their order; one that is too large stops no other."""
        self._is_due = False
        with self._health.guarded("budgets"):
            self._pumped()
        self._wake()

    def _pumped(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        self._lacking = set()
        now_s = self._time()
        lacking: dict[str, int] = {}
        for ask in waiting:
            if ask.call.is_settled:
                continue  # its caller has left
            if now_s >= ask.until_s:
                self._give_up(ask)
                continue
            least = lacking.get(ask.short)
            if (least is not None and ask.estimate.need_nano >= least) or not self._decided(ask):
                lacking.setdefault(ask.short, ask.estimate.need_nano)
                self._lacking.add(ask.short)
                self._waiting.append(ask)

    def _give_up(self, ask: _Ask) -> None:
        """It waited long enough: others hold what is left."""
        limit = next((one for one in ask.limits if one.account == ask.short), ask.limits[0])
        room = self._holder.room_of(limit)
        ask.refuse(self._refused("busy", ask, room, self._spent(room), 1))

    # -- when a call has ended

    def settle(self, call: Call, ending: Ending) -> None:
        """Count what a call cost; what it held beyond that is free again."""
        held, call.held = call.held, None
        if held is None:
            return
        attempt, reading = call.attempt, ending.reading
        assert attempt is not None
        cost_nano: int | None = 0
        if reading is not None:
            cost_nano = self.cost_of(reading, attempt, call.upstream.region)
        elif ending.billed:
            cost_nano = None
        if cost_nano is None:
            cost_nano = held.nano  # nobody told: what was held for it is what it counts as
        elif reading is not None and cost_nano and call.treatment == "metered":
            self._usual.note(attempt.tags.get("feature", ""), attempt.asked.model, cost_nano)
        self._holder.settle(held, cost_nano)
        self._soon()

    def defer(self, call: Call) -> None:
        """Work of a call goes on without it: what it holds stays held until `finish`.

        Raises:
            OSError: the book of the node cannot be written; the call still holds it.
        """
        held, attempt = call.held, call.attempt
        if held is not None and attempt is not None:
            self._holder.defer(held, _LATER + attempt.event_id)
            call.held = None

    def finish(self, begun: Attempt, cost_nano: int | None) -> None:
        """Such work has ended; it counts with its cost, or with what was held if nobody told.

        Raises:
            OSError: the book of the node cannot be written.
        """
        if self._holder.book.finish(_LATER + begun.event_id, cost_nano):
            if cost_nano:
                kind = begun.asked.model or _BATCH
                self._usual.note(begun.tags.get("feature", ""), kind, cost_nano)
            self._soon()

    def cost_of(self, reading: UsageReading, begun: Attempt, region: str) -> int | None:
        """What a part of such work cost; None if anything of it is unknown."""
        pico = self._prices.cost_pico(reading, begun.started_us, region)
        return None if pico is None else int(nano_covering(pico))

    @property
    def output_tokens(self) -> int:
        """What an answer has at most where its request does not say."""
        return self._policy.output_tokens

    def release(self, call: Call) -> None:
        """A call never went out."""
        held, call.held = call.held, None
        if held is not None:
            self._holder.release(held)
            self._soon()

    def _soon(self) -> None:
        if self._waiting and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    # -- twice a second

    def tend(self) -> None:
        """Tell what was used, take what was published.

        Raises:
            OSError: the book of the node cannot be written.
        """
        try:
            if self._published.refresh():
                self._changed()
            if self._published.has_other_prices():
                self._prices = self._published.prices()
        except TallybookError as error:
            self._health.warn("budgets", str(error))
        self._holder.tend()
        if self._holder.forget(kept_accounts(self._published.months), _FORGET_AFTER):
            self._unders.clear()
        self._notices.tend()

    def _changed(self) -> None:
        """Other limits are in force, for calls that wait too."""
        self._unders.clear()
        for ask in self._waiting:
            attempt = ask.call.attempt
            months = self._published.at(attempt.started_us) if attempt is not None else None
            if months is not None and attempt is not None:
                ask.limits = self._limits_of(months, attempt) or ask.limits

    def close(self) -> None:
        """The process ends.

        Raises:
            OSError: the book of the node cannot be written; the steward closes it later.
        """
        self._notices.close()
        self._holder.close()


def _ceiling(ask: _Ask, room: Room) -> int:
    """Up to where a budget may be drawn for a call, less what was spent outside of the books."""
    limit = room.limit
    whole_nano = limit.ceiling_nano if limit.budget in ask.beyond else limit.limit_nano
    return whole_nano - limit.spent_before_nano
