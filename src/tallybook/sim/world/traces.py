"""Random traces: agents calling agents, tools and models, told by tracers and by the gateway.

An event of a tracer is a canonical event with a trace, a span and mostly a parent; ``role: step``
marks what used nothing itself. What goes wrong with traces goes wrong here: circles, lost spans,
several roots, two parents, spans told twice or otherwise, tags that lie.
"""

from __future__ import annotations

from random import Random
from typing import Final

from tallybook.clock import format_instant, parse_instant
from tallybook.sim.world.model import Event

SERVICES: Final = ("fetch", "agent", "rank", "index", "nobody-knows")
TRACERS: Final = ("otel", "langfuse")
DEEPEST: Final = 64
_MS_US: Final = 1_000
_BRANCHES_MAX, _SPANS_MAX = 3, 14
_RESPONSE: Final = "chatcmpl-world-"
_CARRIED: Final[dict[str, tuple[object, ...]]] = {
    "team": ("ant", "bee", "cat", "dog", "platform", "gone"),
    "feature": ("bot", "find", "moves", "ends", "comes", "infra", "gone"),
    "purpose": ("production", "production", "evaluation", "experiment", "batch"),
    "key_id": ("k-bot", "k-bee", "k-cat", "k-own", "k-some", "k-none"),
    "environment": ("ci", "prod", "qa"),
    "labels": ({"kind": "abcz"}, {"claims": "any", "trust": "all"}),
    "user": ("u-1", "u-2"),
    "customer": ("c-1", "c-2"),
}


class Trace:
    """One trace, grown at random.

    Args:
        luck: the world's.
        number: of the operation, which makes ids of responses new.
        window: the month in which it begins, in microseconds.

    Attributes:
        told: what tracers tell, the spans in the order in which they began.
        rows: what the gateway tells of the same calls, and of some that no tracer saw.
    """

    def __init__(self, luck: Random, number: str, window: tuple[int, int]) -> None:
        self._luck, self._number = luck, number
        self._id = f"{luck.getrandbits(128) | 1:032x}"
        self._now_us = _beginning(luck, window)
        self.told: list[Event] = []
        self.rows: list[Event] = []
        self._grow()
        self._go_wrong()
        self._tell_again()

    def _grow(self) -> None:
        luck = self._luck
        root = self._step("", named=75)
        if luck.randrange(25) == 0:  # a chain of agents
            for _ in range(luck.randrange(DEEPEST // 2, DEEPEST - 1)):
                root = self._step(root["span_id"], named=3)
            self._call(root["span_id"])
            return
        open_steps, left = [root], luck.randrange(2, _SPANS_MAX)
        while left > 0:
            above = luck.choice(open_steps)["span_id"]
            for _ in range(luck.randrange(1, _BRANCHES_MAX)):
                left -= 1
                if luck.randrange(2):
                    open_steps.append(self._step(above, named=15))
                else:
                    self._call(above)
        if luck.randrange(6) == 0:  # another root
            self._call(self._step("", named=50)["span_id"])

    def _step(self, parent: str, named: int) -> Event:
        operation = self._luck.choice(["invoke_agent", "execute_tool"])
        step = self._span(parent, named) | {"role": "step", "operation": operation}
        step["status"] = "error" if self._luck.randrange(6) == 0 else "ok"
        self.told.append(step)
        return step

    def _call(self, parent: str) -> None:
        """A call of a model, now and then tried again; each attempt is a call."""
        call = self._span(parent, 15) | self._asked()
        self.told.append(call)
        if call["status"] == "error":
            again = self._span(parent, 15) | self._asked()
            self.told.append(again)

    def _asked(self) -> Event:
        """What is asked of a model, and what it used."""
        luck = self._luck
        provider = luck.choice("xxy")
        models = {"x": ("x-big", "x-new", "x-lost"), "y": ("y-one", "y-fee", "other")}
        asked: Event = {"provider": provider, "model": luck.choice(models[provider])}
        kind = luck.randrange(12)
        asked["status"] = "error" if kind == 0 else "ok"
        tokens: dict[str, int | None] = {"input_uncached": luck.randrange(1, 300_000)}
        tokens["output"] = luck.randrange(100_000)
        if kind == 1:  # answered from a cache
            asked["tokens"] = {"input_uncached": 0, "output": 0}
            asked["usage"] = "reported"
        elif kind == 2:  # noqa: PLR2004
            asked["tokens"] = {**tokens, "output": None}
        elif kind > 3:  # noqa: PLR2004 - else it tells nothing
            asked["tokens"] = tokens | ({"cache_read": 4_000} if kind == 4 else {})  # noqa: PLR2004
        return asked

    def _span(self, parent: str, named: int) -> Event:
        luck = self._luck
        begun_us = self._now_us
        self._now_us += luck.choice([0, 3, 700, 40_000]) * _MS_US
        span = f"{luck.getrandbits(64) | 1:016x}"
        event: Event = {
            "event_id": f"{self._id}:{span}",
            "source": "otel",
            "started_at": format_instant(begun_us),
            "ended_at": format_instant(begun_us + luck.randrange(90_000) * _MS_US),
            "trace_id": self._id,
            "span_id": span,
        }
        if parent:
            event["parent_span_id"] = parent
        if luck.randrange(100) < 60:  # noqa: PLR2004
            event["service"] = luck.choice(SERVICES)
        for field, values in _CARRIED.items():
            often = named if field in ("team", "feature", "purpose") else 12
            if luck.randrange(100) < often:
                event[field] = luck.choice(values)
        return event

    def _go_wrong(self) -> None:
        """A circle, and spans that are lost or come later."""
        luck = self._luck
        steps = [event for event in self.told if event.get("role")]
        if luck.randrange(10) == 0:
            first = luck.choice(steps)
            first["parent_span_id"] = luck.choice(steps)["span_id"]
        if luck.randrange(4) == 0:
            self.told.remove(luck.choice(steps))

    def _tell_again(self) -> None:
        """Others tell of the same: another tracer of steps, the gateway of calls."""
        luck = self._luck
        for event in list(self.told):
            kind = luck.randrange(12)
            if event.get("role") and kind == 0:
                self.told.append(self._by_langfuse(event))
            elif event.get("role") is None and kind < 5 and "usage" not in event:  # noqa: PLR2004
                self._by_gateway(event)
            elif kind == 11:  # noqa: PLR2004 - the same span again, of another user
                self.told.append({**event, "user": "u-9"})
            elif kind == 10:  # noqa: PLR2004 - or otherwise: the first one stands
                self.told.append(
                    {**event, "status": "ok" if event["status"] == "error" else "error"}
                )
        for number in range(luck.choice([0, 0, 0, 1, 2])):  # no tracer saw these
            loose = self._row(self._span("", 25) | self._asked(), f"loose-{number}")
            self.rows.append({key: x for key, x in loose.items() if key != "span_id"})

    def _by_langfuse(self, step: Event) -> Event:
        """A step with another parent; both tracers are believed alike."""
        others = [event["span_id"] for event in self.told if event.get("role")]
        begun_us = parse_instant(step["started_at"]) + _MS_US
        ended_us = max(begun_us, parse_instant(step["ended_at"]))
        told = {"source": "langfuse", "event_id": step["span_id"]}
        told |= {"started_at": format_instant(begun_us), "ended_at": format_instant(ended_us)}
        return {**step, **told, "parent_span_id": self._luck.choice(others)}

    def _by_gateway(self, call: Event) -> None:
        """The gateway's row of a call: the same response, most of the truth, its own start."""
        luck = self._luck
        call["response_id"] = f"{_RESPONSE}{self._number}-{call['span_id']}"
        served = {name: call[name] for name in ("provider", "model")}
        used = call if luck.randrange(2) else {**call, **self._asked(), **served}
        row = self._row(used, call["span_id"])
        place = luck.randrange(3)
        gone = (("trace_id", "span_id", "parent_span_id"), ("span_id", "parent_span_id"), ())[place]
        tags = [name for name in _CARRIED if luck.randrange(2)]
        self.rows.append({key: x for key, x in row.items() if key not in (*gone, *tags)})

    def _row(self, call: Event, name: str) -> Event:
        begun_us = parse_instant(call["started_at"]) + self._luck.choice([0, 5]) * _MS_US
        row = {**call, "source": "gateway", "event_id": f"g-{self._number}-{name}"}
        return {**row, "started_at": format_instant(begun_us), "ended_at": None}


def _beginning(luck: Random, window: tuple[int, int]) -> int:
    """Within the month; now and then so late in it that the trace goes on in the next one."""
    first, after = window
    if luck.randrange(5) == 0:
        return after - luck.choice([1, 2_000, 60_000_000])
    return luck.randrange(first, after)


def only_calls(luck: Random, number: str, window: tuple[int, int]) -> list[Event]:
    """A trace of which the gateway alone told: calls under calls."""
    grown = Trace(luck, number, window)
    steps = {event["span_id"]: event for event in grown.told if event.get("role")}
    calls = [event for event in grown.told if not event.get("role")]
    rows: list[Event] = []
    for call in {event["span_id"]: event for event in calls}.values():
        above = luck.choice([*rows, None, None])
        row = {key: x for key, x in call.items() if key not in ("parent_span_id", "response_id")}
        row |= {"source": "gateway", "event_id": f"t-{number}-{call['span_id']}"}
        row["response_id"] = f"{_RESPONSE}t-{number}-{call['span_id']}"
        if above:
            row["parent_span_id"] = above["span_id"]
        elif luck.randrange(3) == 0 and steps:
            row["parent_span_id"] = luck.choice([*steps])
        rows.append(row)
    return rows
