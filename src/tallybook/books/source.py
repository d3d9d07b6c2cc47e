"""One YAML file as plain data that keeps its text, with the line of every key and row.

YAML guesses types, and a guess must not touch money: what it would call a float or a date stays
the text that was written (``0.10`` is not ``0.1``), and so do ``yes``, ``no`` and integers in any
but the plain decimal form (a cost center ``0471`` is not octal). Duplicate keys, which YAML readers
resolve silently, are refused; so are anchors, aliases and foreign tags, which hide what a row says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tallybook.books.faults import Place, Sheet

BYTES_MAX: Final = 8 * 1024 * 1024
DEPTH_MAX: Final = 20

_PLAIN_INT: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_CORE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_NULL_TAG: Final = "tag:yaml.org,2002:null"
_NO_TAG: Final = (None, "!")


@dataclass(frozen=True, slots=True)
class Source:
    """What one file says: plain data (dict, list, str, int, bool, None) and where it says it."""

    data: Any
    lines: Mapping[Place, int]


_Refusal = tuple[int, str, str, str]
"""(line, what, expected, remedy)"""


class _Composer(yaml.SafeLoader):
    """Builds the node tree and notes what must not stand in a policy file."""

    def __init__(self, text: str, refused: list[_Refusal]) -> None:
        super().__init__(text)
        self.refused = refused
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self._note(event)
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise _TooDeepError(event.start_mark.line + 1)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _note(self, event: Any) -> None:
        line = event.start_mark.line + 1
        anchor = getattr(event, "anchor", None)
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(
                line,
                f"alias *{anchor}",
                "no aliases",
                "write the value out; quote a value that begins with *",
            )
        elif anchor is not None:
            self._refuse(
                line,
                f"anchor &{anchor}",
                "no anchors",
                "remove it; quote a value that begins with &",
            )
        if tag not in _NO_TAG and tag not in _CORE_TAGS:
            self._refuse(line, f"tag {tag}", "plain YAML values", "remove the tag")

    def _refuse(self, line: int, what: str, expected: str, remedy: str) -> None:
        self.refused.append((line, what, expected, remedy))


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read_source(raw: bytes, sheet: Sheet) -> Source | None:
    """Read the bytes of one YAML file.

    Args:
        raw: the file as it is.
        sheet: names the file and collects its faults.

    Returns:
        The data and its lines; None when the file cannot be read at all (the faults say why).
    """
    text = _decode(raw, sheet)
    if text is None:
        return None
    node = _compose(text, sheet)
    if node is None:
        return None
    lines: dict[Place, int] = {}
    before = len(sheet.faults)
    data = _plain(node, (), lines, sheet)
    return Source(data, lines) if len(sheet.faults) == before else None


def _decode(raw: bytes, sheet: Sheet) -> str | None:
    if len(raw) > BYTES_MAX:
        sheet.refuse_line(
            1,
            f"the file has {len(raw)} bytes",
            expected=f"at most {BYTES_MAX}",
            remedy="remove rows that no open period needs",
        )
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        sheet.refuse_line(
            line,
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            expected="UTF-8 text",
            remedy="save the file as UTF-8",
        )
        return None


def _compose(text: str, sheet: Sheet) -> yaml.Node | None:
    refused: list[_Refusal] = []
    node: yaml.Node | None = None
    try:
        node = _Composer(text, refused).get_single_node()
    except _TooDeepError as error:
        sheet.refuse_line(
            error.line,
            f"nested more than {DEPTH_MAX} deep",
            expected="the form of the example file",
            remedy="close the open brackets",
        )
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        _refuse_syntax(sheet, line, f"character {error.character!r} is not allowed", "remove it")
        return None
    except yaml.MarkedYAMLError as error:
        if not refused:  # an alias without its anchor is told as the alias that it is
            _refuse_marked(error, text, sheet)
            return None
    for line, what, expected, remedy in refused:
        sheet.refuse_line(line, what, expected=expected, remedy=remedy)
    if refused:
        return None
    if node is None or node.tag == _NULL_TAG:
        sheet.refuse_line(
            1,
            "the file is empty",
            expected="the form of the example file",
            remedy="fill it in, or remove it if it is prices.yaml or budgets.yaml",
        )
        return None
    return node


def _refuse_marked(error: yaml.MarkedYAMLError, text: str, sheet: Sheet) -> None:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    written = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent or "'\\t'" in str(error.problem):
        _refuse_syntax(sheet, line, "a tab where YAML wants spaces", "indent with spaces")
        return
    what = "; ".join(part for part in (error.context, error.problem) if part)
    remedy = "correct the line, or the one above it; quote text that holds : # ? or brackets"
    if "single document" in what:
        remedy = "keep one document and remove the --- line"
    _refuse_syntax(sheet, line, f"not YAML: {what}", remedy)


def _refuse_syntax(sheet: Sheet, line: int, what: str, remedy: str) -> None:
    sheet.refuse_line(line, what, expected="YAML", remedy=remedy)


def _plain(node: yaml.Node, path: Place, lines: dict[Place, int], sheet: Sheet) -> Any:
    """The node as plain data; notes its line unless the key above it did already."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, sheet) for i, item in enumerate(node.value)]
    return _mapping(node, path, lines, sheet)


def _mapping(node: yaml.Node, path: Place, lines: dict[Place, int], sheet: Sheet) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            sheet.refuse_line(
                line, "a key that is a list or a mapping", expected="a text key", remedy="write one"
            )
            continue
        key = key_node.value
        below = (*path, key)
        if key in data:
            sheet.refuse_line(
                line,
                f"key {key!r} stands twice, first on line {lines[below]}",
                expected="each key once",
                remedy="remove one of the two",
            )
            continue
        lines[below] = line
        data[key] = _plain(value_node, below, lines, sheet)
    return data


def _scalar(node: yaml.ScalarNode) -> str | int | bool | None:
    raw: str = node.value
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "int" and _PLAIN_INT.fullmatch(raw):
        return int(raw)
    if kind == "bool" and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    return raw
