"""What no hash shows, because somebody made the hash anew; and texts that are hard to spell."""

from __future__ import annotations

import pytest

from tallybook.ledger import append_entry
from tallybook.store import Store
from tampering import Attacked, kinds

NOW_US = 1_790_000_000_000_000


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE posting SET amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 1 AND seq = 9 OR amount_nano = 0", "balance"),
        ("DELETE FROM posting WHERE line > 2", "balance"),
        ("UPDATE chain SET period = '2026-10'", "period"),
        ("UPDATE chain SET id = 'A-000009'", "id"),
        ("UPDATE chain SET id = 'E-9'", "id"),
        ("UPDATE chain SET kind = 'act', id = 'A-000009'", "balance"),
        ("UPDATE chain SET prev_hash = prev_hash || 'x'", "link"),
        ("UPDATE chain SET prev_hash = substr(prev_hash, 1, 63)", "link"),
        (
            """UPDATE chain SET id = '"id":"E-000009","kind":"entry","period":"2026-11"'""",
            "id",
        ),
    ],
)
def test_what_no_hash_shows_is_found_by_its_rule(
    attacked: Attacked, statement: str, kind: str
) -> None:
    where = "" if "WHERE" in statement else " WHERE seq = 9"
    assert attacked.run(statement + where)
    attacked.rehash(9)
    assert kind in kinds(attacked.verify())


def test_words_that_look_like_keys_and_marks_of_every_kind_verify(store: Store, make_entry) -> None:
    odd = (
        '","id":"E-000001","kind":"entry","period":"2026-10"} ,0] \\ \n \x00 \x1f \x7f \u2028 é 語'
    )
    with store.write() as tx:
        for text in ('"postings":[[1', odd, "plain"):
            append_entry(tx, make_entry(5, text=text, details={odd: odd}), odd, NOW_US)
    assert Attacked(store.home, store.home.parent / "copy").verify().entries == 3
