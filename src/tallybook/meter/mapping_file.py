"""Reading a mapping file: it is right as a whole, or refused as a whole with every fault's line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallybook.books.faults import Sheet, nearest, one_of, shown
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.books.source import read_source
from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.mapping import COST_AMOUNT, COST_CURRENCY, CountPick, Pick, RecordMap
from tallybook.meter.model import FIELDS, INSTANTS, REQUIRED
from tallybook.meter.read import read_event

Kind = Literal["csv", "json"]
Place = tuple[str | int, ...]

_KEYS: Final = (
    "source", "zone", "formats", "records", "id", "fields", "constants", "tokens", "units",
    "labels",
)  # fmt: skip
_MAPS: Final = ("tokens", "units", "labels")
_NOT_PICKED: Final = {"source", "event_id", "reported_cost", *_MAPS}
_PICKED: Final = (*(n for n in FIELDS if n not in _NOT_PICKED), COST_AMOUNT, COST_CURRENCY)
_CONSTANT: Final = (*(n for n in _PICKED if n not in {*INSTANTS, COST_AMOUNT}), *_MAPS)
_CLASSES: Final = (*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE)
_FORMATS: Final = ("rfc3339", "epoch_s", "epoch_ms")
_PROBE: Final = dict.fromkeys(REQUIRED, "x") | {"started_at": "2026-01-01T00:00:00Z"}


def read_mapping(raw: bytes, file: str, kind: Kind) -> RecordMap:
    """Read the bytes of a mapping file.

    Args:
        raw: YAML text in the form that the room's README shows.
        file: its name, for messages.
        kind: in a ``csv`` mapping a path is a column; in a ``json`` mapping it is keys joined by
            dots, or a list of keys.

    Raises:
        EventError: naming file and line of every fault; nothing was imported.
    """
    first = Sheet(file)
    source = read_source(raw, first)
    if source is None:
        raise _refused(first)
    form = _Form(Sheet(file, source.lines), kind)
    mapping = form.read(source.data)
    if mapping is None or form.sheet.faults:
        raise _refused(form.sheet)
    return mapping


def _refused(sheet: Sheet) -> EventError:
    count = f"{len(sheet.faults)} fault" + ("" if len(sheet.faults) == 1 else "s")
    return EventError(
        f"mapping refused, {count}, nothing imported:\n  " + "\n  ".join(sheet.faults),
        next_step="correct the mapping and ingest again",
    )


class _Form:
    """One mapping file under reading; faults gather on its sheet."""

    def __init__(self, sheet: Sheet, kind: Kind) -> None:
        self.sheet = sheet
        self.kind = kind

    def read(self, data: Any) -> RecordMap | None:
        if not isinstance(data, dict):
            self._refuse((), f"{shown(data)} stands here", "a mapping with source, id, fields")
            return None
        self._known(data, _KEYS, ())
        for key in ("source", "id"):
            if not data.get(key):
                self._refuse((), f"{key} is missing", f"a value for {key}", f"add {key}: ...")
        fields = {
            name: self._pick(value, ("fields", name))
            for name, value in self._section(data, "fields", _PICKED).items()
        }
        constants = self._constants(self._section(data, "constants", _CONSTANT), fields)
        self._covered(data, fields, constants)
        return RecordMap(
            source=self._text(data.get("source", "x"), ("source",)),
            zone=self._zone(data.get("zone")),
            records=self._records(data.get("records")),
            id_paths=self._id(data.get("id") or {"digest": "occurrence"}),
            formats=self._formats(data.get("formats", "rfc3339")),
            fields=fields,
            constants=constants,
            tokens=self._counts(data, "tokens", _CLASSES),
            units=self._counts(data, "units", None),
            labels={
                name: self._pick(value, ("labels", name))
                for name, value in self._section(data, "labels", None).items()
            },
        )

    def _refuse(self, place: Place, what: str, expected: str, remedy: str = "correct it") -> None:
        self.sheet.refuse(place, what, expected=expected, remedy=remedy)

    def _known(self, data: Mapping[str, Any], names: tuple[str, ...], place: Place) -> None:
        for key in data:
            if key not in names:
                what = f"{shown(key)} is not known{nearest(key, names)}"
                self._refuse((*place, key), what, one_of(names), "correct or remove it")

    def _section(
        self, data: Mapping[str, Any], key: str, names: tuple[str, ...] | None
    ) -> dict[str, Any]:
        section = data.get(key)
        if section is None:
            return {}
        if not isinstance(section, dict):
            self._refuse((key,), f"{shown(section)} stands here", "a mapping (name: where)")
            return {}
        if names is not None:
            self._known(section, names, (key,))
            return {name: value for name, value in section.items() if name in names}
        return section

    def _text(self, value: object, place: Place) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            self._refuse(place, f"{shown(value)} stands here", "text")
            return ""
        return str(value)

    def _path(self, value: object, place: Place) -> Path:
        if self.kind == "json" and isinstance(value, list) and value:
            return tuple(self._text(part, (*place, i)) for i, part in enumerate(value))
        text = self._text(value, place)
        return (text,) if self.kind == "csv" else tuple(text.split("."))

    def _pick(self, value: object, place: Place) -> Pick:
        if not isinstance(value, dict):
            return Pick(self._path(value, place))
        self._known(value, ("from", "map", "default"), place)
        values = value.get("map", {})
        if not isinstance(values, dict):
            self._refuse((*place, "map"), f"{shown(values)} stands here", "a mapping (old: new)")
            values = {}
        default = value.get("default")
        return Pick(
            self._path(value.get("from"), (*place, "from")),
            {old: self._text(new, (*place, "map", old)) for old, new in values.items()},
            None if default is None else self._text(default, (*place, "default")),
        )

    def _counts(
        self, data: Mapping[str, Any], key: str, names: tuple[str, ...] | None
    ) -> dict[str, CountPick]:
        section = self._section(data, key, names)
        return {name: self._count(value, (key, name)) for name, value in section.items()}

    def _count(self, value: object, place: Place) -> CountPick:
        if not isinstance(value, dict):
            return CountPick(self._path(value, place))
        self._known(value, ("from", "minus", "default"), place)
        minus = value.get("minus", [])
        if not isinstance(minus, list):
            self._refuse((*place, "minus"), f"{shown(minus)} stands here", "a list of paths")
            minus = []
        default = value.get("default")
        if default is not None and (type(default) is not int or default < 0):
            what = f"{shown(default)} is not a count"
            self._refuse((*place, "default"), what, "a whole number of 0 or more")
            default = None
        return CountPick(
            self._path(value.get("from"), (*place, "from")),
            tuple(self._path(path, (*place, "minus", i)) for i, path in enumerate(minus)),
            default,
        )

    def _zone(self, name: object) -> ZoneInfo | None:
        if name is None:
            return None
        try:
            return ZoneInfo(self._text(name, ("zone",)) or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            what = f"{shown(name)} is no zone"
            self._refuse(("zone",), what, "a zone of the IANA list such as Europe/Berlin")
            return None

    def _records(self, value: object) -> Path:
        if value is None:
            return ()
        if self.kind == "csv":
            self._refuse(
                ("records",), "a CSV file has no path to a list", "no records", "remove it"
            )
        return self._path(value, ("records",))

    def _id(self, rule: object) -> tuple[Path, ...]:
        name = "columns" if self.kind == "csv" else "paths"
        expected = f"{{{name}: [..]}} or {{digest: occurrence}}"
        if rule == {"digest": "occurrence"}:
            return ()
        paths = rule.get(name) if isinstance(rule, dict) and len(rule) == 1 else None
        if not isinstance(paths, list) or not paths:
            self._refuse(("id",), "the rule of the id is not known", expected)
            return ()
        return tuple(self._path(path, ("id", name, i)) for i, path in enumerate(paths))

    def _formats(self, value: object) -> dict[str, str]:
        given = dict.fromkeys(INSTANTS, value) if isinstance(value, str) else value
        if not isinstance(given, dict):
            self._refuse(("formats",), f"{shown(value)} stands here", one_of(_FORMATS))
            given = {}
        self._known(given, INSTANTS, ("formats",))
        for name, form in given.items():
            if form not in _FORMATS and not _is_pattern(form):
                expected = f"{', '.join(_FORMATS)} or a pattern such as %d/%m/%Y %H:%M:%S"
                self._refuse(("formats", name), f"{shown(form)} is no format", expected)
        return dict.fromkeys(INSTANTS, "rfc3339") | given

    def _constants(self, section: dict[str, Any], fields: Mapping[str, Pick]) -> dict[str, Any]:
        for name in section:
            if name in fields:
                self._refuse(("constants", name), "it stands under fields too", "one of the two")
        tokens = section.get("tokens")
        if isinstance(tokens, dict):
            self._known(tokens, _CLASSES, ("constants", "tokens"))
        probe = {name: value for name, value in section.items() if name != COST_CURRENCY}
        try:
            read_event(_PROBE | probe)
        except EventError as error:
            self._refuse(("constants",), error.what, "a value that the event may have")
        return section

    def _covered(
        self, data: Mapping[str, Any], fields: Mapping[str, Pick], constants: Mapping[str, Any]
    ) -> None:
        for name in REQUIRED:
            if name in {"event_id", "source"} or name in fields or name in constants:
                continue
            self._refuse((), f"{name} is missing", f"{name} under fields or constants", "add it")
        if (COST_AMOUNT in fields) != (COST_CURRENCY in fields or COST_CURRENCY in constants):
            self._refuse((), "reported_cost is half given", f"{COST_AMOUNT} and {COST_CURRENCY}")
        for key in _MAPS:
            both = _keys(constants.get(key)) & _keys(data.get(key))
            for name in sorted(both):
                self._refuse(
                    ("constants", key, name), f"it stands under {key} too", "one of the two"
                )


def _keys(section: object) -> set[str]:
    return set(section) if isinstance(section, dict) else set()


def _is_pattern(form: object) -> bool:
    """Whether the text is a strptime pattern that fixes an instant to the minute at least."""
    if not isinstance(form, str) or "%" not in form:
        return False
    moment = datetime(2026, 10, 13, 17, 45, 59, 250_000, tzinfo=UTC)
    try:
        again = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007 - only a probe
    except ValueError:
        return False
    return again.replace(second=0, microsecond=0, tzinfo=UTC) == moment.replace(
        second=0, microsecond=0
    )
