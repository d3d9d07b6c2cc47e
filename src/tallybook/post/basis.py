"""What a run stands on: documents, publications and sealed events, read in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook import __version__
from tallybook.attribute.path import counts_uses
from tallybook.books.budgets import Budgets
from tallybook.books.documents import parse
from tallybook.books.model import Books, Org, PolicyVersion, Prices
from tallybook.clock import Period
from tallybook.errors import BooksError, CorruptedError, TallybookError
from tallybook.ledger.state import PeriodState, period_state
from tallybook.post.sheet import Versions
from tallybook.rate.publish import Publication, due_publication, publications
from tallybook.store import Store, Tx
from tallybook.store.documents import Recorded, document_versions, documents_at, latest_documents
from tallybook.store.grants import acted_of, decisions_upto, denials_of, grants_of
from tallybook.store.lake import CORRECTING, OBSERVED, Snapshot
from tallybook.store.notices import notices_upto
from tallybook.store.seal import combined_digest


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that decides a period's figures, apart from the events' content.

    ``due`` is the publication that this run has to add; it is already last in ``published``.
    ``corrections`` are the files, of any period, that hold events which supersede others.
    ``beside`` are those that tell of the same traces: the period's evidence, and what is told in
    the months before and after; None where every call stands alone.
    """

    period: Period
    documents: Mapping[str, int]
    start_us: int
    end_us: int
    state: PeriodState
    books: Books
    policy: PolicyVersion
    prices: Mapping[int, Prices]
    published: tuple[Publication, ...]
    due: Publication | None
    snapshot: Snapshot
    corrections: Snapshot
    versions: Versions
    beside: Snapshot | None = None


def latest_books(tx: Tx) -> tuple[Books, dict[str, Recorded]]:
    """The books as last applied, with the recorded documents behind them.

    Raises:
        BooksError: none were applied yet.
    """
    recorded = latest_documents(tx)
    if not recorded:
        fault = (
            "no policy files were applied; expected org.yaml and policy.yaml; do: tallybook apply"
        )
        raise BooksError([fault])
    return parse({kind: held.document for kind, held in recorded.items()}), recorded


def basis_at(store: Store, period: Period, versions: Versions) -> Basis:
    """The basis that a run of the past stood on, from the versions that its entries name.

    Raises:
        StoreError: a version that was never recorded.
    """
    number = int(versions.prices.rpartition(".")[2])
    with store.read() as tx:
        held = publications(tx, period)[:number]
        if len(held) != number:
            raise CorruptedError(
                f"prices {versions.prices} of {period} were never published",
                where="publication",
                next_step="restore the book from a backup, then run: tallybook verify",
            )
        wanted = {
            "org": versions.org,
            "policy": versions.policy,
            "budgets": versions.budgets,
            "prices": held[-1].prices_version,
        }
        recorded = documents_at(tx, wanted)
        return _basis(store, tx, period, recorded, held, versions)


def books_at(tx: Tx, period: Period, versions: Versions) -> tuple[Books, PolicyVersion]:
    """The books of some versions without their prices, and the policy of a period in them.

    Raises:
        StoreError: a version that was never recorded.
    """
    wanted = {"org": versions.org, "policy": versions.policy, "budgets": versions.budgets}
    recorded = documents_at(tx, wanted)
    books = parse({kind: one.document for kind, one in recorded.items()})
    decided = with_grants(tx, books, period, versions.decisions, versions.notices)
    return decided, books.policy.at(period)


def with_grants(
    tx: Tx,
    books: Books,
    period: Period,
    decisions: int | None = None,
    notices: int | None = None,
) -> Books:
    """The books with what was decided on a period's budgets beside the files, and what came of it.

    Args:
        tx: a transaction.
        books: as applied.
        period: which month.
        decisions: up to which decision, as versions have it; None means all that there are.
        notices: up to which notice, likewise.
    """
    grants, denials = (
        ((), ())
        if decisions is not None and decisions <= 0
        else (grants_of(tx, period, decisions), denials_of(tx, period, decisions))
    )
    acted = () if notices is not None and notices <= 0 else acted_of(tx, period, notices)
    return replace(books, budgets=books.budgets.granted(grants, denials, acted))


def read_basis(store: Store, period: Period) -> Basis:
    """Read the basis of a period as it stands now."""
    with store.read() as tx:
        _, recorded = latest_books(tx)
        return _basis(store, tx, period, recorded, publications(tx, period))


def _basis(
    store: Store,
    tx: Tx,
    period: Period,
    recorded: dict[str, Recorded],
    held: Sequence[Publication],
    then: Versions | None = None,
) -> Basis:
    """The basis now, or as it was under the versions of then."""
    manifest = then.manifest if then else None
    books = parse({kind: one.document for kind, one in recorded.items()})
    decisions = then.decisions if then else decisions_known(tx, books.budgets, period)
    notices = then.notices if then else notices_known(tx, books.budgets, period)
    books = with_grants(tx, books, period, decisions, notices)
    prices_version = _version(recorded, "prices")
    policy = books.policy.at(period)
    due = due_publication(held, period, prices_version, policy.rate_card.basis)
    published = (*held, due) if due else tuple(held)
    prices = _prices_by_version(tx, recorded, published, books.prices)
    snapshot = store.lake.snapshot_in(tx, str(period), manifest)
    everything = store.lake.snapshot_in(tx, "", manifest, CORRECTING)
    observed = store.lake.snapshot_in(tx, str(period), manifest, OBSERVED)
    policy_version = _policy_since(tx, recorded, period, policy)
    state = period_state(tx, str(period))
    start_us, end_us = books.calendar.bounds_us(period)
    return Basis(
        period=period,
        documents={kind: held.version for kind, held in recorded.items()},
        start_us=start_us,
        end_us=end_us,
        state=state,
        books=books,
        policy=policy,
        prices=prices,
        published=published,
        due=due,
        snapshot=snapshot,
        corrections=Snapshot(
            everything.version, tuple(f for f in everything.files if f.supersedes)
        ),
        versions=Versions(
            manifest=snapshot.version,
            events=combined_digest([file.digest for file in observed.files]),
            prices=published[-1].label,
            policy=policy_version,
            org=_version(recorded, "org"),
            budgets=_version(recorded, "budgets"),
            pools=then.pools if then else _pools_entered(tx, period),
            code=__version__,
            decisions=decisions,
            notices=notices,
        ),
        beside=beside_of(store, tx, period, manifest, books.org),
    )


def beside_of(
    store: Store, tx: Tx, period: Period, manifest: int | None, org: Org
) -> Snapshot | None:
    """What tells of a period's traces beside its events, as of a version of the manifest.

    Returns:
        evidence of the period, events and evidence of the months around it; None where no row of
        the period names a parent, so that nothing else could change its lines.
    """
    own = store.lake.snapshot_in(tx, str(period), manifest, OBSERVED)
    if not store.lake.may_link(own, every=counts_uses(org)):
        return None
    files = [file for file in own.files if file.kind == "evidence"]
    for month in (period.previous(), period.next()):
        files += store.lake.snapshot_in(tx, str(month), manifest, OBSERVED).files
    return Snapshot(own.version, tuple(files))


def _version(recorded: Mapping[str, Recorded], kind: str) -> int:
    return recorded[kind].version if kind in recorded else 0


def decisions_known(tx: Tx, budgets: Budgets, period: Period) -> int:
    """The number of the last decision about a period's budgets; -1 where it has no budget."""
    return decisions_upto(tx, period) if _has_budget(budgets, period) else -1


def notices_known(tx: Tx, budgets: Budgets, period: Period) -> int:
    """The number of the last notice of what was done at them; -1 likewise."""
    return notices_upto(tx, period) if _has_budget(budgets, period) else -1


def _has_budget(budgets: Budgets, period: Period) -> bool:
    return budgets.default is not None or any(row.covers(period) for row in budgets.budgets)


def _pools_entered(tx: Tx, period: Period) -> int:
    last = tx.scalar("SELECT MAX(seq) FROM pool_actual WHERE period = :period", period=str(period))
    return int(last or 0)


def _prices_by_version(
    tx: Tx, recorded: Mapping[str, Recorded], published: Sequence[Publication], current: Prices
) -> dict[int, Prices]:
    others = {kind: held.document for kind, held in recorded.items() if kind != "prices"}
    found = {0: Prices(), _version(recorded, "prices"): current}
    wanted = {publication.prices_version for publication in published} - found.keys()
    for held in document_versions(tx, "prices") if wanted else ():
        if held.version in wanted:
            found[held.version] = parse({**others, "prices": held.document}).prices
    return found


def _policy_since(
    tx: Tx, recorded: Mapping[str, Recorded], period: Period, policy: PolicyVersion
) -> int:
    """The recorded version from which on this period's policy has been what it is.

    A version that changes another month must not make this month's postings move.
    """
    others = {
        kind: held.document for kind, held in recorded.items() if kind not in ("policy", "budgets")
    }
    since = recorded["policy"].version
    earlier = [v for v in document_versions(tx, "policy") if v.version < since]
    for held in reversed(earlier):
        try:
            then = parse({**others, "policy": held.document}).policy.at(period)
        except TallybookError:  # an older version need not fit today's org chart
            break
        if then != policy:
            break
        since = held.version
    return since
