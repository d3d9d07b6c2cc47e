"""Named points between two effects, where a test may kill the process (INV-08)."""

from __future__ import annotations


def reached(point: str) -> None:
    """Mark that a crash here must lose nothing; production does nothing.

    Args:
        point: the name, ``verb.what_has_just_happened``.
    """
    assert point, "a fault point has a name"
