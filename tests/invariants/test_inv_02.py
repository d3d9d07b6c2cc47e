"""INV-02: no float ever holds money."""

import pytest


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-02") == {}


@pytest.mark.of_the_file
def test_a_float_in_a_posting_is_seen(lived, damage):
    damage("UPDATE posting SET amount_nano = amount_nano + 0.5 WHERE seq = 1 AND line = 1")
    assert lived.failing("INV-02") == {"INV-02": "posting.amount_nano: 1 amounts are not integers"}


@pytest.mark.of_the_file
def test_text_in_a_pool_amount_is_seen(lived, damage):
    damage("UPDATE pool_actual SET amount_nano = 'much'")
    failing = lived.failing("INV-02", "INV-10")
    assert failing["INV-02"] == "pool_actual.amount_nano: 1 amounts are not integers"
    assert failing["INV-10"].startswith("cannot be proven, the books are damaged")
