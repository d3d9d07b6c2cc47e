"""The books folder to canonical documents, and documents to books.

A document is what is recorded and what a run computes from: one canonical JSON text per file, with
neither lines nor comments, so that its digest changes exactly when what the file says changes. The
folder is read in two steps, form and then meaning, and is refused whole with every fault found; a
file whose form is wrong hides the faults that only its rows together can show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from tallybook.books.build_budgets import build_budgets
from tallybook.books.build_org import build_org, calendar_of
from tallybook.books.build_policy import build_policy
from tallybook.books.build_prices import build_prices
from tallybook.books.faults import Sheet
from tallybook.books.model import Books
from tallybook.books.schema import BudgetsForm, Form, OrgForm, PolicyForm, PricesForm, read_form
from tallybook.books.source import read_source
from tallybook.errors import BooksError, CorruptedError

KINDS: Final = ("org", "policy", "prices", "budgets")
REQUIRED_KINDS: Final = ("org", "policy")
_FORMS: Final[Mapping[str, type[Form]]] = {
    "org": OrgForm,
    "policy": PolicyForm,
    "prices": PricesForm,
    "budgets": BudgetsForm,
}
_EMPTY_BODY: Final = "{}"


@dataclass(frozen=True, slots=True)
class Document:
    """One policy file as it is recorded: canonical JSON and its SHA-256 in hex."""

    kind: str
    body: str
    sha256: str


def document_of(kind: str, data: Any) -> Document:
    """The document of plain data."""
    body = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Document(kind, body, _digest(body))


def read_folder(folder: Path) -> dict[str, Document]:
    """Read and check a books folder.

    Returns:
        A document of every kind in ``KINDS``; a file that may be left out, and is, gives an empty
        one, so that taking a file away is a change like any other.

    Raises:
        BooksError: with every fault found; nothing is to be applied.
    """
    if not folder.is_dir():
        fault = (
            f"{folder.name or folder}: no such folder; expected a folder with org.yaml and "
            "policy.yaml; do: name the books folder, or make one with tallybook init"
        )
        raise BooksError([fault])
    faults: list[str] = []
    _check_names(folder, faults)
    sheets: dict[str, Sheet] = {}
    forms: dict[str, Form] = {}
    for kind in KINDS:
        sheets[kind], form = _read_file(folder, kind)
        if form is not None:
            forms[kind] = form
    faults += _check_together(forms, sheets)
    if faults:
        raise BooksError(faults)
    return {kind: document_of(kind, _written(forms[kind])) for kind in KINDS}


def parse(documents: Mapping[str, Document]) -> Books:
    """Make the books of stored documents; a kind that is absent is empty.

    Raises:
        BooksError: the documents contradict each other or this version cannot read them.
        CorruptedError: a body is not what its digest says.
    """
    empty = _digest(_EMPTY_BODY)
    return _parsed(tuple(documents.get(kind, Document(kind, _EMPTY_BODY, empty)) for kind in KINDS))


@lru_cache(maxsize=4)
def _parsed(documents: tuple[Document, ...]) -> Books:
    """Books are frozen, so a command that asks for the same ones again gets the same object."""
    sheets = {kind: Sheet(f"{kind} document") for kind in KINDS}
    forms: dict[str, Form] = {}
    for kind, document in zip(KINDS, documents, strict=True):
        if _digest(document.body) != document.sha256:
            raise CorruptedError(
                f"the stored {kind} document has digest {_digest(document.body)}, "
                f"recorded was {document.sha256}",
                where=f"document {kind}",
                next_step="restore the store from a backup",
            )
        form = read_form(_FORMS[kind], json.loads(document.body), sheets[kind])
        if form is not None:
            forms[kind] = form
    books = _build(forms, sheets)
    faults = [fault for sheet in sheets.values() for fault in sheet.faults]
    if faults or books is None:
        raise BooksError(faults)
    return books


def example_files() -> dict[str, str]:
    """The files of the example books, name to text, for a new home."""
    folder = resources.files("tallybook.books") / "example"
    return {
        entry.name: entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith((".yaml", ".md"))
    }


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _written(form: Form) -> Any:
    """What the file says, without what it leaves out."""
    return form.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def _check_names(folder: Path, faults: list[str]) -> None:
    known = [f"{kind}.yaml" for kind in KINDS]
    for entry in sorted(folder.iterdir()):
        name = entry.name
        if name in known or name.startswith(("README", ".git")):
            continue
        remedy = "move it out of the folder"
        if name.endswith(".yml") and f"{name[:-4]}.yaml" in known:
            remedy = f"rename it to {name[:-4]}.yaml"
        elif name == "outcomes.yaml":
            remedy = "move it out of the folder; this version does not read outcomes"
        faults.append(
            f"{name}: not a file of the books; expected {', '.join(known)}, README or .git; "
            f"do: {remedy}"
        )


def _read_file(folder: Path, kind: str) -> tuple[Sheet, Form | None]:
    name = f"{kind}.yaml"
    sheet = Sheet(name)
    try:
        raw = (folder / name).read_bytes()
    except FileNotFoundError:
        if kind not in REQUIRED_KINDS:
            return sheet, _FORMS[kind].model_validate({})
        sheet.refuse_line(
            1,
            "the file is missing",
            expected=f"{name} in the books folder",
            remedy="write it; tallybook init makes an example to start from",
        )
        return sheet, None
    except OSError as error:
        sheet.refuse_line(
            1,
            f"cannot be read ({error.strerror})",
            expected="a readable file",
            remedy="correct its kind or its permissions",
        )
        return sheet, None
    source = read_source(raw, sheet)
    if source is None:
        return sheet, None
    sheet = Sheet(name, source.lines)
    return sheet, read_form(_FORMS[kind], source.data, sheet)


def _check_together(forms: Mapping[str, Form], sheets: Mapping[str, Sheet]) -> list[str]:
    _build(forms, sheets)
    return [fault for kind in KINDS for fault in sheets[kind].faults]


def _build(forms: Mapping[str, Form], sheets: Mapping[str, Sheet]) -> Books | None:
    """Build what the forms allow, noting faults; None if a form is missing."""
    org_form = forms.get("org")
    if not isinstance(org_form, OrgForm):
        return None
    org, calendar = build_org(org_form, sheets["org"]), calendar_of(org_form)
    policy_form, prices_form, budgets_form = (forms.get(kind) for kind in KINDS[1:])
    policy = prices = budgets = None
    if isinstance(policy_form, PolicyForm):
        policy = build_policy(policy_form, org, calendar, sheets["policy"])
    if isinstance(prices_form, PricesForm):
        prices = build_prices(prices_form, org, sheets["prices"])
    if isinstance(budgets_form, BudgetsForm):
        budgets = build_budgets(budgets_form, org, calendar, sheets["budgets"])
    if policy is None or prices is None or budgets is None:
        return None
    return Books(org, policy, prices, budgets, calendar)
