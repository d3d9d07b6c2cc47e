"""The ERP's chart as it was exported: which accounts, dimensions and open periods it has."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from tallybook.errors import HandoffError

HEADER = ("kind", "code", "status")
KINDS = ("account", "entity", "cost_center", "feature", "period")
OPEN = ("", "open", "active")
SHUT = ("closed", "inactive", "never_opened")
LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """What an ERP has: by kind, each code and whether it takes postings."""

    file: str
    codes: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    def missing(self, kind: str, code: str) -> str:
        """Why the chart does not take a code; empty when it does."""
        known = self.codes.get(kind, {})
        if code not in known:
            named = ", ".join(sorted(known)[:LISTED_MAX]) or f"no row of kind {kind}"
            return f"{kind} {code!r} is not in the chart (it has {named})"
        return "" if known[code] else f"{kind} {code!r} is closed; open it in the ERP"


def read_chart(raw: bytes, file: str) -> Chart:
    """Read a chart: CSV with the columns ``kind``, ``code`` and ``status``; others are passed over.

    Raises:
        HandoffError: a column, kind or status that is none, or a code that stands twice, with its
            line.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _refused(file, 1, f"byte {fault.start} is not UTF-8", "save it as UTF-8") from fault
    reader = csv.DictReader(io.StringIO(text, newline=""))
    lacking = [name for name in HEADER if name not in (reader.fieldnames or ())]
    if lacking:
        raise _refused(
            file, 1, f"no column {', '.join(lacking)}", f"name the columns {', '.join(HEADER)}"
        )
    codes: dict[str, dict[str, bool]] = {}
    for row in reader:
        kind, code, status = (str(row[name] or "").strip() for name in HEADER)
        line = reader.line_num
        if kind not in KINDS:
            raise _refused(file, line, f"kind {kind!r}", f"one of {', '.join(KINDS)}")
        if status.lower() not in (*OPEN, *SHUT):
            known = ", ".join(name for name in (*OPEN, *SHUT) if name)
            raise _refused(file, line, f"status {status!r}", f"one of {known}")
        if not code or code in codes.get(kind, {}):
            what = f"{kind} {code!r} stands twice" if code else f"a {kind} without a code"
            raise _refused(file, line, what, "give each code once")
        codes.setdefault(kind, {})[code] = status.lower() in OPEN
    return Chart(file, codes)


def _refused(file: str, line: int, what: str, step: str) -> HandoffError:
    return HandoffError(what, where=f"{file}:{line}", next_step=step)
