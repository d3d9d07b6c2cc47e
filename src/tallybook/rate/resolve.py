"""Which model of the price list a call means.

Aliases of the books come first, then the exact id, then the match clauses of the list in their
order. A provider that resells others' models is looked up in those, at the standard tier only:
the list says nothing about a reseller's other tiers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from tallybook.books.globs import glob_matches
from tallybook.books.model import PriceAlias
from tallybook.rate.lists import Clause, ListModel, ListProvider, PriceList
from tallybook.rate.model import STANDARD, PriceKey

# Names of providers in events and imports, beside the ids of the list.
PROVIDER_NAMES: Final = {
    "amazon": "aws",
    "amazon-bedrock": "aws",
    "aws-bedrock": "aws",
    "azure-ai": "azure",
    "azure-openai": "azure",
    "bedrock": "aws",
    "gemini": "google",
    "google-gemini": "google",
    "google-vertex": "google",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "together-ai": "together",
    "vertex": "google",
    "vertex-ai": "google",
    "xai": "x-ai",
}

_COMPACT_DATE: Final = re.compile(r"-(20\d\d)(\d\d)(\d\d)(?=-|:|$)")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A key made plain: names that a contract may use, the tier, the list model if there is one.

    Args:
        providers: the event's provider, the alias's, the list's; without repeats.
        models: the event's model, the alias's, the list's; without repeats.
        tier: the tier as the list names it.
        model: the list model; None with the reason in ``reason``.
        resold: the model is another provider's, found through a fallback.
    """

    key: PriceKey
    providers: tuple[str, ...]
    models: tuple[str, ...]
    tier: str
    model: ListModel | None
    resold: bool
    reason: str


def tier_name(tier: str) -> str:
    """The tier of a price: what is not stated, and ``default`` as served, is the standard tier.

    Every other name is its own tier, ``auto`` too: it asks for a tier and does not name one.
    """
    return STANDARD if tier in {"", "default"} else tier


def resolve_key(key: PriceKey, price_list: PriceList, aliases: Iterable[PriceAlias]) -> Resolved:
    """Find the list model of a key.

    Raises nothing: a key without a list model may still have a contract price.
    """
    provider, model = _unaliased(key, aliases)
    list_id = _list_provider_id(provider, price_list)
    found, resold = _find(model, list_id, price_list)
    reason = "" if found else f"list {price_list.version} has no model {model!r} of {provider!r}"
    return Resolved(
        key=key,
        providers=tuple(dict.fromkeys((key.provider, provider, list_id or provider))),
        models=tuple(dict.fromkeys((key.model, model, found.id if found else model))),
        tier=tier_name(key.tier),
        model=found,
        resold=resold,
        reason=reason,
    )


def _unaliased(key: PriceKey, aliases: Iterable[PriceAlias]) -> tuple[str, str]:
    """The alias's provider and model: an exact name before a glob, then the longer glob."""
    fits = [
        alias
        for alias in aliases
        if alias.provider in {"", key.provider} and glob_matches(alias.model, key.model)
    ]
    if not fits:
        return key.provider, key.model
    best = max(fits, key=lambda a: (a.model == key.model, len(a.model), a.provider, a.is_model))
    return best.is_provider or key.provider, best.is_model


def _list_provider_id(provider: str, price_list: PriceList) -> str:
    name = provider.strip().lower().replace("_", "-")
    for candidate in (provider, name, PROVIDER_NAMES.get(name, "")):
        if candidate in price_list.providers:
            return candidate
    return ""


def _find(model: str, list_id: str, price_list: PriceList) -> tuple[ListModel | None, bool]:
    if not list_id:
        return None, False
    provider = price_list.providers[list_id]
    name = model.lower()
    for text in dict.fromkeys((name, _dashed_date(name))):
        if (found := _find_in(provider, text)) is not None:
            return found, False
        for fallback in provider.fallbacks:
            if (found := _find_in(price_list.providers[fallback], text)) is not None:
                return found, True
    return None, False


def _find_in(provider: ListProvider, name: str) -> ListModel | None:
    exact = (model for model in provider.models if model.id.lower() == name)
    matching = (model for model in provider.models if clause_matches(model.match, name))
    return next(exact, None) or next(matching, None)


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "equals": lambda name, text: name == text.lower(),
    "starts_with": lambda name, text: name.startswith(text.lower()),
    "ends_with": lambda name, text: name.endswith(text.lower()),
    "contains": lambda name, text: text.lower() in name,
    "regex": lambda name, text: re.search(text, name) is not None,
}


def clause_matches(clause: Clause, name: str) -> bool:
    """Whether a model name in lower case matches a clause of the list."""
    ((operator, value),) = clause.items()
    if operator == "or":
        return any(clause_matches(part, name) for part in value)
    if operator == "and":
        return all(clause_matches(part, name) for part in value)
    return _OPERATORS[operator](name, value)


def _dashed_date(name: str) -> str:
    """The name with a compact date (``-20251211``) in the dashed form that lists use."""

    def dashed(found: re.Match[str]) -> str:
        try:
            return f"-{date(*map(int, found.groups())).isoformat()}"
        except ValueError:
            return found.group(0)

    return _COMPACT_DATE.sub(dashed, name)
