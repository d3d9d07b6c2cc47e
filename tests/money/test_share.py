from __future__ import annotations

import pytest

from tallybook.money import format_share


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(36, 1000, "3.6 %"), (1, 3, "33.3 %"), (2, 3, "66.7 %"), (-1, 8, "-12.5 %"), (1, 0, "-")],
)
def test_format_share(part, whole, text):
    assert format_share(part, whole) == text
