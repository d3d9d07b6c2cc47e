"""LiteLLM in process: its own callback, writing into the spool.

Name ``tallybook.sdk.litellm.logger`` under ``litellm_settings: callbacks`` of a proxy, or put it
into ``litellm.callbacks``. What LiteLLM hands over is translated as `ingest litellm` translates it,
so the two tell the same of a call; events of the callback have a source of their own, because the
same call may come in by LiteLLM's log as well, and one call is charged once (`meter/resolve`).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from threading import Lock
from typing import Any, Final

import msgspec

from tallybook.meter.providers import provider_of
from tallybook.meter.sources.litellm import prepare, translate
from tallybook.sdk import clients
from tallybook.sdk.asked import key_id
from tallybook.sdk.counters import guarded
from tallybook.sdk.hook import Hook
from tallybook.sdk.tagging import current

SOURCE: Final = "litellm-callback"
_CALL: Final = "litellm_call_id"
_PAYLOAD: Final = "standard_logging_object"
_BULKY: Final = ("messages", "guardrail_information", "model_parameters", "error_str")
_SAID: Final = ("choices", "output", "content", "data", "text", "candidates")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SILENT_STREAMS: Final = frozenset(("openai", "azure", "vllm"))
"""Providers whose chat streams tell their usage only when they are asked."""

_KNOWN_MAX: Final = 10_000
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_BASE: Any = import_module("litellm.integrations.custom_logger").CustomLogger


class TallybookLogger(_BASE):  # type: ignore[misc]  # its base is not there where types are checked
    """LiteLLM's callback. It puts each call, and each that failed, into the spool.

    Args:
        hook: another than that of the process (`tallybook.sdk.configure`).
    """

    def __init__(self, hook: Hook | None = None) -> None:
        super().__init__()
        self._given = hook
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._failed: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._begun: OrderedDict[str, Mapping[str, str]] = OrderedDict()
        self._lock = Lock()

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Mapping[str, Any]) -> None:
        """A call goes out: this is the last time that LiteLLM is where its caller is."""
        del model, messages
        with guarded("litellm"):
            tags = current()
            if tags:
                with self._lock:
                    self._begun[str(kwargs.get(_CALL))] = tags
                    _bounded(self._begun)

    def log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """A call was answered."""
        del response_obj, start_time, end_time
        self._take(kwargs)

    def log_failure_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """A call, or one attempt of it, failed."""
        del response_obj, start_time, end_time
        self._take(kwargs)

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """A call was answered."""
        del response_obj, start_time, end_time
        self._take(kwargs)

    async def async_log_failure_event(
        self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """A call, or one attempt of it, failed."""
        del response_obj, start_time, end_time
        self._take(kwargs)

    def _take(self, kwargs: Mapping[str, Any]) -> None:
        with guarded("litellm"):
            hook = self._given or clients.hook()
            with hook.health.guarded("litellm"):
                payload = kwargs.get(_PAYLOAD)
                if not isinstance(payload, Mapping):
                    hook.health.add("observed")
                    hook.health.add("lost")
                    hook.health.warn("litellm", f"LiteLLM told of a call without {_PAYLOAD}")
                elif self._is_new(payload):
                    hook.health.add("observed")
                    with self._lock:
                        begun = self._begun.pop(str(kwargs.get(_CALL)), None)
                    tags = {**hook.settings.tags, **(begun or current())}
                    events = events_of(payload, tags, hook.settings.key_name)
                    hook.write([self._numbered(event) for event in events])

    def _is_new(self, payload: Mapping[str, Any]) -> bool:
        """LiteLLM tells of some calls twice, by its sync and its async way."""
        told = (str(payload.get("id")), str(payload.get("startTime")))
        with self._lock:
            if told in self._known:
                return False
            self._known[told] = None
            _bounded(self._known)
        return True

    def _numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        """Number an attempt: a router's retries and fallbacks follow a failure in one trace."""
        trace = event.get("trace_id", "")
        with self._lock:
            first, before = self._failed.pop(trace, ("", 0))
            operation = first or event.get("operation_id") or event["event_id"]
            if trace and event.get("status") == "error":
                self._failed[trace] = (operation, before + 1)
                _bounded(self._failed)
        attempt = max(before + 1, event.get("attempt") or 1)
        return {**event, "operation_id": operation, "attempt": attempt}


def _bounded(known: OrderedDict[Any, Any]) -> None:
    if len(known) > _KNOWN_MAX:
        known.popitem(last=False)


def events_of(
    payload: Mapping[str, Any], tags: Mapping[str, str], key_name: str = ""
) -> list[dict[str, Any]]:
    """The canonical events of a standard logging payload.

    Args:
        payload: as LiteLLM makes it.
        tags: in force where the call was made; LiteLLM's own win.
        key_name: stands for the API key where LiteLLM names none.

    Raises:
        EventError: it is none.
    """
    kept = {name: value for name, value in payload.items() if name not in _BULKY}
    response = kept.get("response")
    if isinstance(response, Mapping):
        kept["response"] = {name: each for name, each in response.items() if name not in _SAID}
    elif "response" in kept:
        del kept["response"]
    record: dict[str, Any] = _DECODER.decode(msgspec.json.encode(kept, enc_hook=str))
    counted = {"usage": "estimated"} if _is_own_count(payload) else {}
    ours = {"key_id": key_name, **tags}
    _hide_key(record)
    return [_tagged({**each.canonical, **counted}, ours) for each in translate(prepare(record))]


def _hide_key(record: Mapping[str, Any]) -> None:
    """Without a master key LiteLLM may give the caller's key itself where its hash belongs."""
    metadata = record.get("metadata")
    if isinstance(metadata, dict):
        told = metadata.get("user_api_key_hash")
        if isinstance(told, str) and not _HASH.fullmatch(told):
            metadata["user_api_key_hash"] = key_id(told)


def _is_own_count(payload: Mapping[str, Any]) -> bool:
    """Whether LiteLLM counted the tokens of a stream itself, since it was not asked for usage."""
    if not payload.get("stream") or payload.get("status") == "failure" or payload.get("cache_hit"):
        return False
    told = payload.get("model_parameters")
    options = told.get("stream_options") if isinstance(told, Mapping) else None
    asked = isinstance(options, Mapping) and options.get("include_usage") is True
    provider = provider_of(str(payload.get("custom_llm_provider") or ""))
    chat = str(payload.get("call_type") or "").endswith("completion")
    return chat and not asked and provider in _SILENT_STREAMS


def _tagged(event: dict[str, Any], ours: Mapping[str, str]) -> dict[str, Any]:
    labels = {
        name.removeprefix("labels."): text
        for name, text in ours.items()
        if text and name.startswith("labels.")
    }
    fields = {name: text for name, text in ours.items() if text and not name.startswith("labels.")}
    told = {**fields, **event, "source": SOURCE}
    if labels or told.get("labels"):
        told["labels"] = {**labels, **(told.get("labels") or {})}
    return {name: value for name, value in told.items() if value not in (None, "", {})}


logger: Final = TallybookLogger()
