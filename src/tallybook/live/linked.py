"""A seal that tells of traces which others told of: they are taken off as they stood, and added.

Who answers for a call is decided by its trace, so what comes later may move calls that were sealed
before. Only the traces that it names are looked at again, in the files that hold them; the sums of
all others stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tallybook.live.ground import Ground
from tallybook.live.rate import Part, Sealed, add_up
from tallybook.post.basis import beside_of
from tallybook.post.increment import NO_TRACE, TRACES_MAX, told_since, touched_traces
from tallybook.store import Store
from tallybook.store.lake import Snapshot
from tallybook.store.seal import SealedFile


def moved_by(
    store: Store,
    ground: Ground,
    came: Sequence[SealedFile],
    corrections: Snapshot,
    *,
    since: int,
    slots_us: int,
) -> Sealed | None:
    """What new files add to the month, with what they move in it.

    Args:
        store: open books.
        ground: prices and owners.
        came: the new files of events, none of which supersede others.
        corrections: the files, of any period, whose events supersede others, as they stand.
        since: the version of the manifest up to which the month was added up.
        slots_us: events before it have no slot of five minutes.

    Returns:
        None if so much moves that the month is better added up again.
    """
    basis, upto = ground.basis, corrections.version
    period, org = basis.period, basis.books.org
    new = replace(basis, snapshot=Snapshot(upto, tuple(came)))
    with store.read() as tx:
        told = told_since(tx, new, since)
        stood, stands = (store.lake.snapshot_in(tx, str(period), at) for at in (since, upto))
        before, now = (beside_of(store, tx, period, at, org) for at in (since, upto))
    if told is None or before is None or now is None:
        return None
    new = replace(new, beside=Snapshot(upto, told))
    touched = touched_traces(store, new, new, Snapshot(upto, ()))
    if len(touched) > TRACES_MAX:
        return None
    paths = _holding(store, (stood, stands, before, now), touched)
    sealed = Sealed()
    for sign, files, beside in ((-1, stood, before), (1, stands, now)):
        part = Part(_among(files, paths).files, corrections, _among(beside, paths), touched)
        _take(sealed, add_up(store, ground, part, slots_us=slots_us), sign)
    alone = Part(came, corrections, traces=NO_TRACE)
    _take(sealed, add_up(store, ground, alone, slots_us=slots_us), 1)
    return sealed


def _take(sealed: Sealed, part: Sealed, sign: int) -> None:
    sealed.buckets.take(part.buckets, sign)
    sealed.sources |= part.sources


def _holding(store: Store, snapshots: Sequence[Snapshot], traces: Sequence[str]) -> frozenset[str]:
    """The files that hold a row of some traces: seldom more than the latest."""
    every = {file.path: file for snapshot in snapshots for file in snapshot.files}
    found = store.lake.holding(Snapshot(0, tuple(every.values())), traces)
    return frozenset(file.path for file in found.files)


def _among(snapshot: Snapshot, paths: frozenset[str]) -> Snapshot:
    files = (file for file in snapshot.files if file.path in paths)
    return Snapshot(snapshot.version, tuple(files))
