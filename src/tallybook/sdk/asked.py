"""What a request asks for, as far as metering needs to know: never what it says to the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from tallybook.meter.providers import provider_of_url

_BODY_MAX: Final = 64 * 1024 * 1024
_KEY_DIGITS: Final = 16

_OPERATIONS: Final = tuple(
    (re.compile(pattern), operation, family)
    for pattern, operation, family in (
        (r"/(?:chat|fim|agents)/completions$", "chat", "openai"),
        (r"/completions$", "completions", "openai"),
        (r"/responses(?:/compact)?$", "responses", "openai"),
        (r"/embeddings$", "embeddings", "openai"),
        (r"/images/(?:generations|edits|variations)$", "images", "openai"),
        (r"/audio/(?:transcriptions|translations)$", "transcription", "openai"),
        (r"/audio/speech$", "speech", "openai"),
        (r"(?<!/threads)/v1/messages$", "messages", "anthropic"),
        (r"/model/[^/]+/converse(?:-stream)?$", "converse", "aws"),
        (r"/model/[^/]+/invoke(?:-with-response-stream)?$", "invoke", "aws"),
        (r"/models/[^/]+:(?:stream)?[gG]enerateContent$", "generate", "google"),
        (r"/models/[^/]+:(?:embedContent|batchEmbedContents|predict)$", "embeddings", "google"),
        (r"/models/[^/]+:(?:stream)?[rR]awPredict$", "messages", "google"),
        (r"/v[12]/(?:chat|generate|classify)$", "chat", "cohere"),
        (r"/v[12]/embed$", "embeddings", "cohere"),
        (r"/v[12]/rerank$", "rerank", "cohere"),
        (r"/v1/(?:ocr|conversations)(?:/[^/]+)?$", "conversations", "mistral"),
        (r"/api/(?:chat|generate|embed)$", "chat", "ollama"),
    )
)
"""Ends of paths that use a model, what is done there, and whose form it is."""

_POLLED: Final = re.compile(r"/responses/[^/]+$")
_MODEL_IN_PATH: Final = re.compile(r"/(?:model|models|deployments)/([^/:]+)")
_AZURE_DATE: Final = re.compile(r"(?:^|&)api-version=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_AZURE_SINCE: Final = "2024-09-01"
_TAKE_THE_QUESTION: Final = frozenset(
    ("openai", "azure", "deepseek", "groq", "x-ai", "openrouter", "together", "fireworks", "vllm")
)
"""Providers known to take ``stream_options.include_usage``; another might refuse the request."""

_KEYS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


class Wanted(msgspec.Struct, gc=False):
    """The keys of a JSON body that decide how a response is read."""

    model: Any = None
    stream: Any = False
    stream_options: Any = None
    background: Any = False


_WANTED: Final = msgspec.json.Decoder(Wanted)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """One request. ``host`` is '' where the address says who answers; ``polls`` a response id."""

    provider: str
    endpoint: str
    operation: str
    model: str
    stream: bool
    background: bool
    usage_asked: bool
    host: str = ""
    polls: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """What an address says of a request that uses a model. ``model`` is '' if not in the path."""

    provider: str
    host: str
    path: str
    operation: str
    model: str

    def asked(self, told: Wanted, model_in_form: str = "") -> Asked:
        """What a request to this address asks for.

        Args:
            told: its body.
            model_in_form: the model that a multipart body names.
        """
        model = told.model or model_in_form or self.model
        options = told.stream_options
        return Asked(
            provider=self.provider,
            endpoint=self.path,
            operation=self.operation,
            model=model if isinstance(model, str) else "",
            stream=told.stream is True,
            background=told.background is True,
            usage_asked=isinstance(options, dict) and options.get("include_usage") is True,
            host=self.host,
        )


def addressed(url: str, providers: Mapping[str, str]) -> Address | None:
    """What the address of a POST request says; None if no model is used there.

    Args:
        url: the whole address.
        providers: as of `understood`.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    found = _operation(path)
    if found is None:
        return None
    operation, family = found
    provider, host = _provider(parts.netloc, providers, family)
    named = _MODEL_IN_PATH.search(path)
    return Address(provider, host, path, operation, unquote(named[1]) if named else "")


def understood(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    providers: Mapping[str, str],
    form: Mapping[str, str],
) -> Asked | None:
    """What a request asks for; None if it uses no model.

    Args:
        method: of HTTP.
        url: the whole address.
        headers: of the request, lower case.
        body: as far as it is in memory.
        providers: host, with port where there is one, to provider, for what addresses do not say.
        form: the plain fields of a multipart body.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if method == "GET" and _POLLED.search(path):
        polled = path.rpartition("/")[2]
        provider, host = _provider(parts.netloc, providers, "openai")
        return Asked(provider, path, "responses", "", False, False, True, host, polled)
    if method != "POST":
        return None
    address = addressed(url, providers)
    if address is None:
        return None
    return address.asked(_read(body, headers), form.get("model", ""))


@lru_cache(maxsize=1024)
def _operation(path: str) -> tuple[str, str] | None:
    """What is done at a path, and in whose form; None if no model is used there."""
    return next(((o, family) for pattern, o, family in _OPERATIONS if pattern.search(path)), None)


def _provider(netloc: str, providers: Mapping[str, str], family: str) -> tuple[str, str]:
    """Who answers, and the host if only the form of the API says so."""
    place = netloc.rpartition("@")[2].lower()
    told = providers.get(place) or providers.get(place.partition(":")[0]) or provider_of_url(place)
    return (told, "") if told else (family, place)


def _read(body: bytes | None, headers: Mapping[str, str]) -> Wanted:
    if not body or len(body) > _BODY_MAX or "json" not in headers.get("content-type", "json"):
        return Wanted()
    return wanted_of(body) or Wanted()


def wanted_of(body: bytes) -> Wanted | None:
    """What a JSON body asks for; None if it is no JSON object."""
    try:
        return _WANTED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def may_ask_usage(asked: Asked, headers: Mapping[str, str], query: str) -> bool:
    """Whether a chat stream may be asked for its usage without a risk to the request."""
    if not (asked.stream and asked.endpoint.endswith("/completions")) or asked.usage_asked:
        return False
    if headers.get("authorization", "").startswith("AWS4-"):
        return False  # the signature covers the body
    if asked.provider == "azure":
        dated = _AZURE_DATE.search(query)
        return dated is None or dated[1] >= _AZURE_SINCE
    return True


def known_to_take_it(asked: Asked) -> bool:
    """Whether the provider is known to take the question."""
    return not asked.host and asked.provider in _TAKE_THE_QUESTION


def with_usage_asked(body: bytes) -> bytes:
    """The same request with ``stream_options.include_usage``; all else stays, byte for byte.

    Raises:
        ValueError: the body is no JSON object.
    """
    fields: dict[str, msgspec.Raw] = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    options: Any = (
        msgspec.json.decode(fields["stream_options"]) if "stream_options" in fields else {}
    )
    options = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    fields["stream_options"] = msgspec.Raw(msgspec.json.encode(options))
    return msgspec.json.encode(fields)


def key_id_of(headers: Mapping[str, str]) -> str:
    """A name for the API key that opened the call: a digest, from which no key can be made."""
    for name in _KEYS:
        value = headers.get(name)
        if value:
            key = value.rpartition(" ")[2]
            if value.startswith("AWS4-"):
                key = value.partition("Credential=")[2].partition("/")[0]
            return key_id(key)
    return ""


def key_id(key: str) -> str:
    """The ``key_id`` that events carry for an API key: ``key-`` and 16 digits of its SHA-256.

    Put it into the org file to give a key an owner.
    """
    return f"key-{sha256(key.encode()).hexdigest()[:_KEY_DIGITS]}" if key else ""


def form_fields(stream: object) -> Iterator[tuple[str, str]]:
    """The plain fields of a multipart body that has not been read yet."""
    for part in getattr(stream, "fields", ()):
        name, value = getattr(part, "name", None), getattr(part, "value", None)
        if isinstance(name, str) and isinstance(value, (str, bytes)):
            yield name, value if isinstance(value, str) else value.decode("utf-8", "replace")
