"""Room 1: a call becomes a usage event: read, validated, its id claimed for ever."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallybook.meter.ingest import IngestResult
    from tallybook.meter.mapping_file import read_mapping
    from tallybook.meter.model import UsageEvent
    from tallybook.meter.read import read_event
    from tallybook.meter.subjects import forget
    from tallybook.meter.worklist import Quarantined, quarantined, quarantined_count

__all__ = [
    "IngestResult",
    "Quarantined",
    "UsageEvent",
    "forget",
    "quarantined",
    "quarantined_count",
    "read_event",
    "read_mapping",
]

_MODULES: Final = (
    "model",
    "read",
    "mapping_file",
    "subjects",
    "worklist",
    "ingest",
)  # the lightest first


def __getattr__(name: str) -> Any:
    """A name is loaded when it is first asked for: who needs one module pays for no other."""
    if name in __all__:
        for module in _MODULES:
            names = vars(import_module(f"{__name__}.{module}"))
            if name in names:
                return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
