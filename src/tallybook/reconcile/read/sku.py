"""What a product on an invoice is, from the words of its name: model, token class, tier.

Providers name one thing in many ways: ``USW2-Claude4.5Sonnet-cache-read-input-token-count``,
``gpt-4o-0806-Inp-glbl Tokens``, ``Gemini 2.5 Flash Text Input - Predictions``. What a name does not
say stays empty. A model is compared by its mark, in which order and spelling do not matter.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[a-z]+|\d+[a-z]+|\d+")
_TTL = re.compile(r"(?<![\d.])(5|30|1|12)\s*-?(m|min|minutes?|h|hr|hours?)\b")
_WRITES: Final = {"write", "writes", "creation", "wr", "written"}
_CACHE: Final = {"cache", "cached", "caching", "cchd", "cach", "cachd", "cd"}
_OUTPUT: Final = {"output", "outputs", "outp", "outpt", "out", "opt", "response", "completion"}
_INPUT: Final = {
    *("input", "inputs", "inp", "inpt", "in", "prompt", "embedding", "embeddings", "uncached"),
}
_UNITS: Final = {
    "web_search": frozenset({"web", "search"}),
    "file_search": frozenset({"file", "search"}),
    "container": frozenset({"code", "interpreter"}),
}
_NOT_TOKENS: Final = {"storage", "hosting", "training", "provisioned", "hours"}
_MEDIA: Final = {"audio": "audio", "aud": "audio", "image": "image", "img": "image"}
_TIERS: Final = {
    "batch": "batch", "flex": "flex", "priority": "priority", "pp": "priority",
    "standard": "standard", "default": "standard",
}  # fmt: skip

_DATED = re.compile(r"[-@ _]?20\d\d-?[01]\d-?[0-3]\d\b")
_VERSION = re.compile(r"[-_ ]v\d+(?::\d+)?\b")
_SHORT_DATE = re.compile(r"(?<=[-_ ])(?:0[1-9]|1[0-2])[0-3]\d(?=$|[-_ ])")
_MARK_PARTS = re.compile(r"[a-z]+|\d+")
_NOT_THE_MODEL: Final = {
    *("us", "eu", "apac", "global", "anthropic", "amazon", "meta", "cohere", "mistralai", "google"),
    *("openai", "azure", "bedrock", "edition", "model", "models", "vertex", "ai", "preview"),
    *("latest", "instruct", "the", "for"),
}
_CUT = re.compile(
    r"[-_ ,]+(?:mantle|in|inp|inpt|input|out|opt|outp|outpt|output|cache|cached|cchd|cd|batch|flex"
    r"|priority|standard|glbl|global|gl|dzone|dz|data zone|regnl|rgnl|regional|text|image|audio|aud"
    r"|img|video|thinking|tokens?|caching|usage|token count|predictions?|long|embeddings?"
    r"|cross-region)(?=$|[-_ ,])",
    re.IGNORECASE,
)


def words_of(product: str) -> list[str]:
    """The words of a name in lower case, ``InputTokenCount`` as three."""
    return _WORDS.findall(_CAMEL.sub(" ", product).lower())


@lru_cache(maxsize=16_384)
def token_class_of(product: str) -> str:
    """The token class or unit that a name speaks of; empty if it names none."""
    words = frozenset(words_of(product))
    unit = next((unit for unit, told in _UNITS.items() if told <= words), "")
    if unit or words & _NOT_TOKENS:
        return unit
    media = next((_MEDIA[word] for word in words if word in _MEDIA), "")
    if words & _CACHE:
        read = "cache_read_audio" if media == "audio" else "cache_read"
        return f"cache_write{_ttl(product)}" if words & _WRITES else read
    for direction, told in (("output", _OUTPUT), ("input", _INPUT)):
        if words & told:
            plain = "input_uncached" if direction == "input" else direction
            return f"{media}_{direction}" if media else plain
    return ""


def _ttl(product: str) -> str:
    found = _TTL.search(product.lower().replace("_", " "))
    return f"_{found[1]}{found[2][0]}" if found else ""


@lru_cache(maxsize=16_384)
def tier_of(product: str) -> str:
    """The tier that a name speaks of; empty if it names none."""
    return next((_TIERS[word] for word in words_of(product) if word in _TIERS), "")


@lru_cache(maxsize=16_384)
def model_of(product: str) -> str:
    """What stands before the words for class, tier and region: the provider's name of a model."""
    return _CUT.split(product.strip(), maxsplit=1)[0].strip(" -_,")


@lru_cache(maxsize=65_536)
def model_mark(model: str) -> str:
    """What two spellings of one model share: its words in order of the alphabet, then its numbers.

    Dates and versions of snapshots are left out, and who sells it.
    """
    text = _CAMEL.sub(" ", model).lower()
    text = _SHORT_DATE.sub("", _VERSION.sub("", _DATED.sub("", text)))
    parts = _MARK_PARTS.findall(text)
    words = sorted(part for part in parts if not part.isdecimal() and part not in _NOT_THE_MODEL)
    return " ".join([*words, *(part for part in parts if part.isdecimal())])
