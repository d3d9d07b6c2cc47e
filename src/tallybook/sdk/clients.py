"""Clients that meter: made here, or made by the caller and wrapped."""

from __future__ import annotations

import atexit
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from threading import Lock
from typing import Any, Final

from tallybook.sdk.counters import PROCESS, guarded
from tallybook.sdk.hook import Hook
from tallybook.sdk.settings import Settings, from_environment
from tallybook.sdk.tagging import checked
from tallybook.sdk.transport import Hooked, installed, library_of, wrapped

_TIMEOUT_S: Final = 600.0
_CONNECT_S: Final = 5.0
_CONNECTIONS: Final = 1000
_KEPT_ALIVE: Final = 100


class _Process:
    """The hook of this process, made when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hook: Hook | None = None
        os.register_at_fork(after_in_child=self._after_fork)

    def hook(self) -> Hook:
        hook = self._hook
        if hook is None:
            with self._lock:
                hook = self._hook
                if hook is None:
                    hook = self._hook = Hook(from_environment())
                    atexit.register(self._end)
        return hook

    def replace(self, hook: Hook) -> None:
        with self._lock:
            before, self._hook = self._hook, hook
        if before is None:
            atexit.register(self._end)
        else:
            before.close()

    def _end(self) -> None:
        if self._hook is not None:
            self._hook.close()

    def _after_fork(self) -> None:
        self._lock = Lock()


_PROCESS: Final = _Process()


def hook() -> Hook:
    """The hook of this process, as its environment or `configure` made it."""
    return _PROCESS.hook()


def configure(**changes: Any) -> None:
    """Set how this process meters, over what its environment says (`Settings` names all).

    Tags given here hold for every call of the process, whatever thread it is made in.

    Raises:
        TypeError: there is no such setting.
    """
    if isinstance(changes.get("tags"), Mapping):
        changes["tags"] = checked(changes["tags"])
    settings: Settings = replace(from_environment(), **changes)
    _PROCESS.replace(Hook(settings))


def health() -> dict[str, int]:
    """What this process counted: calls observed, events spooled, shipped, lost; faults of ours."""
    return dict(Counter(hook().health.counts()) + Counter(PROCESS.counts()))


def flush(timeout_s: float | None = None) -> None:
    """Ship what waits now, for at most this long; at the end of a process it is done anyway."""
    hook().flush(timeout_s)


def client(*, library: str = "", hook: Hook | None = None, **options: Any) -> Any:
    """An HTTP client that meters, for ``OpenAI(http_client=...)`` and its like.

    Args:
        library: ``httpx2`` or ``httpx``; '' takes that of a ``transport`` that is given, else the
            one that is installed, ``httpx2`` before ``httpx``.
        hook: another than that of the process.
        options: of the library's ``Client``. A ``transport`` is wrapped.
    """
    return metered(_module(library, options).Client(**_defaults(library, options)), hook=hook)


def async_client(*, library: str = "", hook: Hook | None = None, **options: Any) -> Any:
    """As `client`, for ``AsyncOpenAI(http_client=...)`` and its like."""
    return metered(_module(library, options).AsyncClient(**_defaults(library, options)), hook=hook)


def metered(client: Any, *, hook: Hook | None = None) -> Any:
    """Meter what a client sends that stands already, proxies and mounts included.

    Args:
        client: of ``httpx2`` or ``httpx``, sync or async.
        hook: another than that of the process.

    Returns:
        the client itself.
    """
    with guarded("client"):
        sync = not hasattr(client, "aclose")
        hooked = _hooked(hook)
        inside = vars(client)  # the libraries have no other door to what environment made
        inside["_transport"] = wrapped(inside["_transport"], hooked, sync=sync)
        inside["_mounts"] = {
            pattern: None if inner is None else wrapped(inner, hooked, sync=sync)
            for pattern, inner in inside["_mounts"].items()
        }
    return client


def transport(inner: Any, *, hook: Hook | None = None) -> Any:
    """A sync transport that meters what goes through another."""
    return wrapped(inner, _hooked(hook), sync=True)


def async_transport(inner: Any, *, hook: Hook | None = None) -> Any:
    """An async transport that meters what goes through another."""
    return wrapped(inner, _hooked(hook), sync=False)


def _hooked(given: Hook | None) -> Hooked:
    return _PROCESS.hook if given is None else lambda: given


def _module(library: str, options: Mapping[str, Any]) -> Any:
    return import_module(library or library_of(options.get("transport")) or installed())


def _defaults(library: str, options: dict[str, Any]) -> dict[str, Any]:
    """What the providers' own clients use: answers take minutes, and there are many at once."""
    module = _module(library, options)
    return {
        "timeout": module.Timeout(_TIMEOUT_S, connect=_CONNECT_S),
        "limits": module.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=_KEPT_ALIVE
        ),
        "follow_redirects": True,
        **options,
    }
