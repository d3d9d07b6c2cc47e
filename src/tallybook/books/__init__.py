"""The policy files as data: read, checked, recorded as documents, compared, and typed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallybook.books.budgets import (
        Budget,
        Budgets,
        Grant,
        Increase,
    )
    from tallybook.books.documents import (
        KINDS,
        REQUIRED_KINDS,
        Document,
        example_files,
        parse,
        read_folder,
    )
    from tallybook.books.globs import glob_matches, glob_regex, is_glob
    from tallybook.books.meters import (
        TOKEN_CLASSES,
        TOKEN_CLASSES_INFORMATIVE,
        TOKEN_CLASSES_INPUT,
        TOKEN_CLASSES_OUTPUT,
        TOKEN_CLASSES_VERSION,
    )
    from tallybook.books.model import (
        FOREVER_US,
        MODELS,
        PURPOSES,
        ROLES,
        RULE_FIELDS,
        STATES,
        Books,
        BusinessUnit,
        Company,
        CostPool,
        Evaluation,
        Feature,
        Key,
        Org,
        Policy,
        PolicyVersion,
        PriceAlias,
        Prices,
        RateCard,
        Rule,
        Service,
        Span,
        Team,
        TeamPolicy,
    )
    from tallybook.books.plan import Change, Plan
    from tallybook.books.terms import ContractRow

__all__ = [
    "FOREVER_US",
    "KINDS",
    "MODELS",
    "PURPOSES",
    "REQUIRED_KINDS",
    "ROLES",
    "RULE_FIELDS",
    "STATES",
    "TOKEN_CLASSES",
    "TOKEN_CLASSES_INFORMATIVE",
    "TOKEN_CLASSES_INPUT",
    "TOKEN_CLASSES_OUTPUT",
    "TOKEN_CLASSES_VERSION",
    "Books",
    "Budget",
    "Budgets",
    "BusinessUnit",
    "Change",
    "Company",
    "ContractRow",
    "CostPool",
    "Document",
    "Evaluation",
    "Feature",
    "Grant",
    "Increase",
    "Key",
    "Org",
    "Plan",
    "Policy",
    "PolicyVersion",
    "PriceAlias",
    "Prices",
    "RateCard",
    "Rule",
    "Service",
    "Span",
    "Team",
    "TeamPolicy",
    "example_files",
    "glob_matches",
    "glob_regex",
    "is_glob",
    "parse",
    "read_folder",
]

_MODULES: Final = ("meters", "globs", "model", "terms", "documents", "plan")  # the lightest first


def __getattr__(name: str) -> Any:
    """A name is loaded when it is first asked for: who needs one module pays for no other."""
    if name in __all__:
        for module in _MODULES:
            names = vars(import_module(f"{__name__}.{module}"))
            if name in names:
                return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
