"""Does every use of a model in a team's sources have a cost label that the books know?

A use is told by its marks: a provider's host, its client library, or the name of its key. A label
is the name of a use case, where calls carry it (header, baggage, tag, setting), or a row of the
label file that declares it for a path. What cannot be decided is a fault, never a pass: a label
that is made while running, a file that cannot be read, a row that matches no file.

It reads text and knows no language: a use that is hidden from text (a host that is put together, a
library of the house) is declared with a mark of its own in the label file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallybook.books.globs import glob_matches
from tallybook.books.model import Books
from tallybook.clock import Period

LABEL_FILE: Final = "tallybook-labels.yaml"
CODE: Final = frozenset(
    {
        *(".py", ".ipynb", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".go", ".java", ".kt"),
        *(".kts", ".rb", ".php", ".cs", ".rs", ".scala", ".swift"),
    }
)
CONFIG: Final = frozenset(
    {
        *(".yaml", ".yml", ".toml", ".json", ".env", ".tf", ".properties", ".sh", ".bash"),
        *(".ini", ".cfg", ".conf"),
    }
)
HOSTS: Final = re.compile(
    r"api\.openai\.com|\.openai\.azure\.com|api\.anthropic\.com|generativelanguage\.googleapis\.com"
    r"|aiplatform\.googleapis\.com|bedrock-runtime|api\.mistral\.ai|api\.groq\.com"
    r"|api\.deepseek\.com|api\.x\.ai|openrouter\.ai|api\.cohere\.(?:ai|com)|api\.together\.xyz"
    r"|api\.fireworks\.ai|api\.perplexity\.ai|api\.voyageai\.com|api-inference\.huggingface\.co"
)
KEYS: Final = re.compile(
    r"\b(?:OPENAI|AZURE_OPENAI|ANTHROPIC|GEMINI|MISTRAL|GROQ|DEEPSEEK|XAI|OPENROUTER|COHERE"
    r"|TOGETHER|FIREWORKS|PERPLEXITY|VOYAGE)_API_KEY\b"
)
_NAMES: Final = (
    r"openai|anthropic|google\.genai|google\.generativeai|mistralai|groq|cohere|litellm|together"
    r"|langchain_\w+|llama_index\.\w+"
)
_PACKAGES: Final = (
    r"openai|@anthropic-ai/[\w-]+|@google/genai|@google/generative-ai|@mistralai/mistralai|groq-sdk"
    r"|cohere-ai|@ai-sdk/[\w-]+|@langchain/[\w-]+|@aws-sdk/client-bedrock-runtime|@azure/openai"
)
LIBRARIES: Final = (
    re.compile(rf"^\s*(?:import|from)\s+(?:{_NAMES})\b", re.MULTILINE),
    re.compile(rf"""(?:from|require\(|import\(|import)\s*["'](?:{_PACKAGES})(?:/[\w/.-]+)?["']"""),
    re.compile(
        r"github\.com/(?:openai/openai-go|sashabaranov/go-openai|anthropics/anthropic-sdk-go)"
        r"|com\.(?:openai|anthropic)\.|using\s+(?:OpenAI|Anthropic)\b|\b(?:openai|anthropic)::"
    ),
)
_VALUE: Final = r"""(?P<shut>["']?)\s*[:=,]\s*(?P<open>["'`]?)(?P<value>[^"'`\s,;)}\]]*)"""
LABELS: Final = (
    re.compile(rf"x-tallybook-feature{_VALUE}", re.IGNORECASE),
    re.compile(rf"\bTALLYBOOK_FEATURE{_VALUE}"),
    re.compile(r"chargeback\.feature\s*=\s*(?P<value>[^\"'`\s,;)}\]]*)"),
    re.compile(r"tallybook:\s*feature\s*=\s*(?P<value>[^\"'`\s,;)}\]]*)"),
    re.compile(r"""\btag(?:s|ged)?\([^)]*?\bfeature\s*=\s*["'](?P<value>[^"']*)["']""", re.DOTALL),
)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the label file: what the files that match ``path`` call models for.

    One of ``feature``, ``key`` and ``none`` is set; ``none`` says why they need no label. A row
    with ``mark`` declares a further mark of a use: a text that the files of the path may hold.
    """

    path: str
    feature: str = ""
    key: str = ""
    none: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong where, and what to do."""

    place: str
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    ``uses`` are the files that call models, with their labels; ``exempt`` those that a row excuses.
    """

    read: int
    uses: Mapping[str, tuple[str, ...]]
    exempt: tuple[str, ...]
    faults: tuple[Fault, ...]


def check_labels(
    texts: Iterable[tuple[str, str]], rows: Sequence[Row], books: Books, at_us: int
) -> Checked:
    """Hold the sources of a team to the books.

    Args:
        texts: path and text of each file, paths with slashes and relative to the label file.
        rows: of the label file.
        books: which use cases and keys there are.
        at_us: when.
    """
    known = _Known(books, at_us)
    faults: list[Fault] = [fault for row in rows for fault in known.faults_of_row(row)]
    uses: dict[str, tuple[str, ...]] = {}
    exempt: list[str] = []
    matched: set[Row] = set()
    read = 0
    for path, text in texts:
        read += 1
        mine = [row for row in rows if glob_matches(row.path, path)]
        matched |= set(mine)
        told = _labels(path, text)
        labels = [value for _, value in told if _ID.fullmatch(value)]
        declared = [row.feature or known.feature_of_key(row.key) for row in mine if _names(row)]
        faults += [fault for place, value in told if (fault := known.fault(place, value, declared))]
        used = _use(path, text, [row.mark for row in mine if row.mark])
        if not used:
            continue
        found = tuple(dict.fromkeys([*labels, *declared]))
        if found:
            uses[path] = found
        elif any(row.none for row in mine):
            exempt.append(path)
        else:
            faults.append(known.unlabelled(path, used))
            uses[path] = ()
    faults += [
        Fault(
            f"{LABEL_FILE}: {row.path}",
            "no file that was read matches this row",
            "correct the path, or remove the row",
        )
        for row in rows
        if row not in matched
    ]
    return Checked(read, uses, tuple(exempt), tuple(faults))


class _Known:
    """The use cases and keys of the books at an instant."""

    def __init__(self, books: Books, at_us: int) -> None:
        org = books.org
        self._features = {row.id for row in org.features if row.span.holds(at_us)}
        self._keys = {row.id: row.feature for row in org.keys if row.span.holds(at_us)}
        self._books, self._period = books, books.calendar.period_of(at_us)

    def feature_of_key(self, key: str) -> str:
        return self._keys.get(key, "") or f"key {key}"

    def faults_of_row(self, row: Row) -> list[Fault]:
        place = f"{LABEL_FILE}: {row.path}"
        if row.key and row.key not in self._keys:
            return [Fault(place, f"the books know no key {row.key!r}", "issue and apply it first")]
        if row.feature and (fault := self.fault(place, row.feature, [])):
            return [fault]
        return []

    def fault(self, place: str, value: str, declared: Sequence[str]) -> Fault | None:
        """What is wrong with a label, if anything."""
        if not _ID.fullmatch(value):
            if declared:
                return None
            return Fault(
                place,
                "the label is made while running, so nobody can say here what it will be",
                f"declare the use cases of this path in {LABEL_FILE}",
            )
        if value not in self._features:
            return Fault(
                place,
                f"the books know no use case {value!r}",
                f"have it begun: tallybook budget propose {value} ..., or correct the label",
            )
        if not self._is_limited(value):
            return Fault(
                place,
                f"use case {value!r} has no limit in {self._period}",
                "give it a budget, or a default for all, in budgets.yaml",
            )
        return None

    def _is_limited(self, feature: str) -> bool:
        budgets, period = self._books.budgets, self._period
        return budgets.default is not None or _has_budget(self._books, feature, period)

    def unlabelled(self, path: str, used: tuple[int, str]) -> Fault:
        line, mark = used
        return Fault(
            f"{path}:{line}",
            f"calls a model ({mark}) without a cost label",
            "send x-tallybook-feature, or declare the use case of this path in "
            f"{LABEL_FILE}; known: {', '.join(sorted(self._features)[:8])}",
        )


def _has_budget(books: Books, feature: str, period: Period) -> bool:
    return books.budgets.budget_of(feature, period) is not None


def _names(row: Row) -> bool:
    return bool(row.feature or row.key)


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2] if "." in name else ""


def _use(path: str, text: str, marks: Sequence[str]) -> tuple[int, str] | None:
    """The line and the words of the first mark of a use; None without one."""
    patterns = [HOSTS, KEYS, *(re.compile(re.escape(mark)) for mark in marks)]
    if _suffix(path) not in CONFIG:
        patterns += LIBRARIES
    found = [match for pattern in patterns if (match := pattern.search(text))]
    if not found:
        return None
    first = min(found, key=lambda match: match.start())
    return text.count("\n", 0, first.start()) + 1, " ".join(first[0].split())


def _labels(path: str, text: str) -> list[tuple[str, str]]:
    """Place and value of each label that a text carries; empty where it is made while running."""
    found, code = [], _suffix(path) not in CONFIG
    for pattern in LABELS:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            value = "" if code and _is_name(match) else match["value"]
            found.append((f"{path}:{line}", value))
    return sorted(set(found))


def _is_name(match: re.Match[str]) -> bool:
    """Whether what follows a quoted name in code is no quoted text, so it names something."""
    told = match.groupdict()
    return bool(told.get("shut")) and not told.get("open")


def checked_values(checked: Checked) -> dict[str, Any]:
    """The machine form."""
    return {
        "ok": is_good(checked),
        "files_read": checked.read,
        "uses": {path: list(labels) for path, labels in sorted(checked.uses.items())},
        "exempt": list(checked.exempt),
        "faults": [
            {"place": one.place, "what": one.what, "next_step": one.next_step}
            for one in checked.faults
        ],
    }


def is_good(checked: Checked) -> bool:
    """Whether nothing is wrong; where no file was read, nothing is good."""
    return checked.read > 0 and not checked.faults
