"""What was metered, in the grain of invoices: every class once, at contract, by UTC day."""

from company import PRICES, org, policy, usage
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.post.run import seal_inbox
from tallybook.reconcile.metered import metered
from tallybook.reconcile.model import DAY_US


def found(books, *, by_key=False):
    seal_inbox(books.store)
    basis = read_basis(books.store, Period.parse("2026-10"))
    return metered(
        books.store, basis, basis.start_us - DAY_US, basis.end_us + DAY_US, by_key=by_key
    )


def test_classes_days_and_keys(books):
    books.company.apply(org=org(), policy=policy(), prices=PRICES)
    books.company.ingest(
        usage("1", key_id="k1"),
        usage("2", key_id="k2", status="client_aborted"),
        usage("3", started_at="2026-10-03T23:59:59.999999Z", key_id="k1"),
        usage("4", started_at="2026-09-30T23:59:59Z"),
        usage("5", model="unheard-of"),
    )
    day = (1_790_985_600_000_000, "output")
    cells = [c for c in found(books).cells if (c.day_us, c.token_class) == day and c.model == "x-1"]
    (one,) = cells
    assert (one.quantity, one.amount_pico, one.price) == (30_000, 15 * 10**11, 50_000_000)
    assert (one.calls, one.open_calls, one.key_id) == (3, 1, "")
    keys = {c.key_id: c.quantity for c in found(books, by_key=True).cells
            if (c.day_us, c.token_class) == day and c.model == "x-1"}  # fmt: skip
    assert keys == {"k1": 20_000, "k2": 10_000}


def test_the_day_before_is_there_and_outside_and_what_has_no_price_counts_as_quantity(books):
    books.company.apply(org=org(), policy=policy(), prices=PRICES)
    books.company.ingest(
        usage("1", started_at="2026-09-30T23:59:59Z"), usage("2"), usage("3", model="unheard-of")
    )
    result = found(books)
    assert (result.inside_pico, result.calls) == ({"X": 10**12}, {"X": 2})
    assert result.unpriced_calls == {"X": 1}
    before = [c for c in result.cells if c.day_us < 1_790_812_800_000_000]
    assert {(c.inside_pico, c.amount_pico) for c in before} == {(0, 5 * 10**11)}
    unknown = [c for c in result.cells if c.model == "unheard-of"]
    assert {(c.amount_pico, c.price, c.unpriced == c.quantity) for c in unknown} == {
        (0, None, True)
    }
