"""Tags: who answers for the calls that are made in here.

They live in a context variable, so every asyncio task has its own and sees those of the task that
started it. A new thread sees none: take them along with `carry` or `TagsExecutor`. Tags that hold
for the whole process are settings (`tallybook.sdk.settings`).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import TracebackType
from typing import Any, Final, NamedTuple, ParamSpec, Self, TypeVar, cast

from tallybook.meter.model import PURPOSES
from tallybook.sdk.counters import LOG

P = ParamSpec("P")
R = TypeVar("R")

FIELDS: Final = frozenset(
    {
        *("team", "feature", "purpose", "environment", "customer", "cohort", "plan", "user"),
        *("session", "endpoint", "prompt_version", "evaluation_run", "service", "operation_id"),
    }
)
"""The tags that are fields of an event; any other is kept under its labels."""

LENGTH_MAX: Final = 256
_NUMBER_END: Final = 10**LENGTH_MAX
_NONE: Final[Mapping[str, str]] = {}
_FRAME: Final[ContextVar[_Frame | None]] = ContextVar("tallybook.sdk.tags", default=None)


def current() -> Mapping[str, str]:
    """The tags in force here; a label's name begins with ``labels.``."""
    frame = _FRAME.get()
    return frame.tags if frame else _NONE


def checked(told: Mapping[str, object]) -> dict[str, str]:
    """Tags that can be used; each of the others is told to the log and left out.

    Args:
        told: name to text, or to a number, which becomes text; ``labels`` holds a mapping. None
            takes a tag away that is in force outside.

    Returns:
        name to text, '' for a tag that is taken away; labels as ``labels.<name>``.
    """
    good: dict[str, str] = {}
    for name, value in told.items():
        if name == "labels" and isinstance(value, Mapping):
            for label, inner in value.items():
                _take(good, f"labels.{label}", inner)
        elif name in FIELDS:
            _take(good, name, value)
        else:
            LOG.warning("tag %r is no field of an event; it is kept under labels", str(name)[:40])
            _take(good, f"labels.{name}", value)
    return good


def _take(good: dict[str, str], name: str, value: object) -> None:
    if value is None:
        good[name] = ""
        return
    text = _text(value)
    if not _is_usable(text) or not _is_usable(name.removeprefix("labels.")):
        LOG.warning(
            "tag %r is left out: it is text of 1 to %d printable characters", name[:40], LENGTH_MAX
        )
    elif name == "purpose" and text not in PURPOSES:
        LOG.warning("tag purpose is left out: it is one of %s", ", ".join(PURPOSES))
    else:
        good[name] = text


def _text(value: object) -> str:
    """A text or a number as text, an enumeration's member as its value; '' of anything else."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _NUMBER_END:
        return ""
    return int.__repr__(value)


def _is_usable(text: str) -> bool:
    return 0 < len(text) <= LENGTH_MAX and text.isprintable()


class _Frame(NamedTuple):
    """Tags in force, who put them there, and what was in force before."""

    tags: Mapping[str, str]
    owner: object
    outer: _Frame | None


class Tags:
    """Tags in force inside a ``with`` block, or in every call of a function that it decorates."""

    def __init__(self, told: Mapping[str, object]) -> None:
        try:
            self._tags = checked(told)
        except Exception:  # noqa: BLE001 - a strange value must not stop the caller
            LOG.warning("tags are left out: they cannot be read")
            self._tags = {}

    def __enter__(self) -> Self:
        _enter(self._tags, self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _leave(self)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function, a coroutine function or a generator of either kind."""
        return _decorated(function, self._tags)


def _enter(told: Mapping[str, str], owner: object) -> None:
    outer = _FRAME.get()
    _FRAME.set(_Frame({**outer.tags, **told} if outer else told, owner, outer))


def _leave(owner: object) -> None:
    """Go back to what was in force before; blocks may be left out of order, or elsewhere."""
    frame = _FRAME.get()
    while frame is not None and frame.owner is not owner:
        frame = frame.outer
    if frame is not None:
        _FRAME.set(frame.outer)


@contextmanager
def _in_force(told: Mapping[str, str]) -> Iterator[None]:
    owner = object()
    _enter(told, owner)
    try:
        yield
    finally:
        _leave(owner)


def tags(**told: object) -> Tags:
    """Put tags on every call that is made inside a ``with`` block.

    ``with tags(team="support", feature="refund-bot"): ...``. Inner tags win over outer ones, name
    by name; None takes one away. A tag that cannot be used is told to the log and left out: nothing
    is raised.

    Args:
        told: fields of an event (`FIELDS`), and ``labels={...}`` for everything else.
    """
    return Tags(told)


def tagged(**told: object) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Put tags on every call made in a function: sync, async, or a generator of either kind.

    A generator is tagged while it runs, and its caller is not while it waits.
    """
    return Tags(told).__call__


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Take the tags in force here along into a thread: ``Thread(target=carry(work))``.

    Also for ``loop.run_in_executor``. ``asyncio.to_thread`` carries them by itself.
    """
    return _decorated(function, current())


class TagsExecutor(ThreadPoolExecutor):
    """A thread pool whose work runs under the tags that were in force when it was submitted."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Submit work; ``map`` comes here too."""
        return super().submit(carry(fn), *args, **kwargs)


def _decorated(function: Callable[P, R], told: Mapping[str, str]) -> Callable[P, R]:
    made: Any
    if inspect.isasyncgenfunction(function):
        made = _async_generator(function, told)
    elif inspect.isgeneratorfunction(function):
        made = _generator(function, told)
    elif inspect.iscoroutinefunction(function):
        made = _coroutine(function, told)
    else:
        made = _plain(function, told)
    try:
        return cast("Callable[P, R]", wraps(function)(made))
    except Exception:  # noqa: BLE001 - a callable object without a name
        return cast("Callable[P, R]", made)


def _plain(function: Callable[..., Any], told: Mapping[str, str]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with _in_force(told):
            return function(*args, **kwargs)

    return run


def _coroutine(function: Callable[..., Any], told: Mapping[str, str]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        with _in_force(told):
            return await function(*args, **kwargs)

    return run


def _generator(function: Callable[..., Any], told: Mapping[str, str]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        step: Callable[[], Any] = inner.__next__
        while True:
            try:
                with _in_force(told):
                    value = step()
            except StopIteration as end:
                return end.value
            try:
                sent = yield value
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever is thrown in goes on in
                step = _Thrown(inner.throw, error)
            else:
                step = _Thrown(inner.send, sent)

    return run


def _async_generator(function: Callable[..., Any], told: Mapping[str, str]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        step: Callable[[], Any] = inner.__anext__
        while True:
            try:
                with _in_force(told):
                    value = await step()
            except StopAsyncIteration:
                return
            try:
                sent = yield value
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever is thrown in goes on in
                step = _Thrown(inner.athrow, error)
            else:
                step = _Thrown(inner.asend, sent)

    return run


class _Thrown:
    """The next step of a generator, with what its caller sent or threw."""

    def __init__(self, act: Callable[[Any], Any], value: Any) -> None:
        self._act = act
        self._value = value

    def __call__(self) -> Any:
        return self._act(self._value)
