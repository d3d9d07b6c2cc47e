"""The transports: what an HTTP client of ``httpx2`` or ``httpx`` sends goes through the hook.

Both libraries have the same classes under the same names. The clients of OpenAI, Anthropic and
Mistral stand on the first, older ones and Cohere's on the second, so the classes here are made for
whichever is asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

from tallybook.sdk import attempts
from tallybook.sdk.asked import form_fields
from tallybook.sdk.call import Body
from tallybook.sdk.counters import guarded
from tallybook.sdk.hook import Begun, Hook, Seen
from tallybook.sdk.passing import encodings_readable

Hooked = Callable[[], Hook]

LIBRARIES: Final = ("httpx2", "httpx")
_ERROR: Final = 400


class _SyncBody:
    """A body that is read by the way, sync."""

    def __init__(self, inner: Any, body: Body) -> None:
        self._inner = inner
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._inner:
                passed = self._body.passes(chunk)
                if passed:
                    yield passed
        except BaseException as error:
            self._body.breaks(error)
            raise
        rest = self._body.ends()
        if rest:
            yield rest

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._body.closes()


class _AsyncBody:
    """A body that is read by the way, async."""

    def __init__(self, inner: Any, body: Body) -> None:
        self._inner = inner
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                passed = self._body.passes(chunk)
                if passed:
                    yield passed
        except BaseException as error:
            self._body.breaks(error)
            raise
        rest = self._body.ends()
        if rest:
            yield rest

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._body.closes()


class _Passage:
    """What both transports do before and after the request itself."""

    _library: Any
    _sync: bool

    def __init__(self, inner: Any, hooked: Hooked) -> None:
        self.inner = inner
        self._hooked = hooked

    def _begin(self, request: Any) -> tuple[Begun | None, Any, bytes | None]:
        """The call, if it is one, and the request to send."""
        body = None
        with guarded("transport"):
            body = _content(request)
            begun = self._hooked().begin(
                Seen(
                    method=request.method,
                    url=str(request.url),
                    query=request.url.query.decode("ascii", "replace"),
                    headers=_lowered(request.headers),
                    body=body,
                    form={} if body is not None else dict(form_fields(request.stream)),
                )
            )
            if begun is not None:
                return begun, self._readable(request, begun), body
        return None, request, body

    def _readable(self, request: Any, begun: Begun) -> Any:
        """The request, so that its answer can be read on the way."""
        accepted = request.headers.get("accept-encoding", "")
        if begun.body is None:
            if accepted:
                request.headers["accept-encoding"] = encodings_readable(accepted)
            return request
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        headers["content-length"] = str(len(begun.body))
        return self._library.Request(
            request.method,
            request.url,
            headers=headers,
            content=begun.body,
            extensions=request.extensions,
        )

    def _failed(self, begun: Begun, request: Any, body: bytes | None, error: BaseException) -> None:
        with guarded("transport"):
            attempts.failed(begun.ordinal, request.method + str(request.url), body)
        begun.call.failed(error)

    def _answered(self, begun: Begun, request: Any, body: bytes | None, response: Any) -> Any:
        """The response, its body watched."""
        with guarded("transport"):
            if response.status_code >= _ERROR:
                attempts.failed(begun.ordinal, request.method + str(request.url), body)
            else:
                attempts.succeeded()
            headers, whole = _lowered(response.headers), _content(response)
            if whole is not None:
                headers.pop("content-encoding", None)
            watched = begun.call.answered(response.status_code, headers)
            if watched is not None and whole is not None:  # a cache, or a test's double
                watched.passes(whole)
                watched.ends()
            elif watched is not None:
                kinds = bodies(self._library.__name__)
                response.stream = kinds[0 if self._sync else 1](response.stream, watched)
        return response


class _SyncTransport(_Passage):
    """A transport that meters, sync."""

    _sync = True

    def handle_request(self, request: Any) -> Any:
        begun, sent, body = self._begin(request)
        if begun is None:
            return self.inner.handle_request(sent)
        try:
            response = self.inner.handle_request(sent)
        except BaseException as error:
            self._failed(begun, request, body, error)
            raise
        return self._answered(begun, request, body, response)

    def close(self) -> None:
        self.inner.close()


class _AsyncTransport(_Passage):
    """A transport that meters, async."""

    _sync = False

    async def handle_async_request(self, request: Any) -> Any:
        begun, sent, body = self._begin(request)
        if begun is None:
            return await self.inner.handle_async_request(sent)
        try:
            response = await self.inner.handle_async_request(sent)
        except BaseException as error:
            self._failed(begun, request, body, error)
            raise
        return self._answered(begun, request, body, response)

    async def aclose(self) -> None:
        await self.inner.aclose()


@cache
def bodies(name: str) -> tuple[type[Any], type[Any]]:
    """The classes of bodies, sync and async, of a library."""
    library: Any = import_module(name)
    return (
        type("MeteredBody", (_SyncBody, library.SyncByteStream), {}),
        type("AsyncMeteredBody", (_AsyncBody, library.AsyncByteStream), {}),
    )


@cache
def transports(name: str) -> tuple[type[Any], type[Any]]:
    """The classes of transports, sync and async, of a library."""
    library: Any = import_module(name)
    own = {"_library": library}
    return (
        type("MeteredTransport", (_SyncTransport, library.BaseTransport), own),
        type("AsyncMeteredTransport", (_AsyncTransport, library.AsyncBaseTransport), own),
    )


def library_of(thing: object) -> str:
    """The library that a client or transport is of; '' if of none."""
    for kind in type(thing).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in LIBRARIES:
            return name
    return ""


def wrapped(inner: Any, hooked: Hooked, *, sync: bool) -> Any:
    """A transport that meters what goes through another."""
    if isinstance(inner, _Passage):
        return inner
    kinds = transports(library_of(inner) or installed())
    return kinds[0 if sync else 1](inner, hooked)


def installed() -> str:
    """The library to use where nothing else decides.

    Raises:
        ImportError: there is none.
    """
    for name in LIBRARIES:
        try:
            import_module(name)
        except ImportError:
            continue
        return name
    raise ImportError("tallybook.sdk needs httpx2 or httpx: pip install 'tallybook[sdk]'")


def _content(message: Any) -> bytes | None:
    """The body, if it is in memory; a body that is a stream is never read here."""
    try:
        content = message.content
    except Exception:  # noqa: BLE001 - RequestNotRead or ResponseNotRead, of either library
        return None
    return content if isinstance(content, bytes) else None


def _lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
