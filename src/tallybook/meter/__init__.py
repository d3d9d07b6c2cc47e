"""Room 1: a call becomes a usage event: read, validated, its id claimed for ever."""

from tallybook.meter.ingest import IngestResult, ingest
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
    "ingest",
    "quarantined",
    "quarantined_count",
    "read_event",
    "read_mapping",
]
