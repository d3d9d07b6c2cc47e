"""Statement lines to whole cents, so that the lines of a page add up to its total."""

from __future__ import annotations

from collections.abc import Sequence

from tallybook.errors import MoneyError
from tallybook.money.apportion import largest_first
from tallybook.money.model import NANO_PER_CENT
from tallybook.money.rounding import cents_of_nano


def cents_of_lines(nanos: Sequence[int], keys: Sequence[str], salt: str) -> list[int]:
    """Bring the lines of one total to cents by largest remainder.

    Args:
        nanos: one amount per line in 10^-9 currency units, of any sign.
        keys: the distinct stable keys of the lines, which order equal remainders.
        salt: what the lines add up to, such as statement and version.

    Returns:
        One amount in cents per line: they sum to ``cents_of_nano(sum(nanos))``, and each is less
        than one cent from its exact amount (a line of whole cents stays what it is).

    Raises:
        MoneyError: keys that repeat or do not match the lines.
    """
    if len(nanos) != len(keys) or len(set(keys)) != len(keys):
        raise MoneyError(f"{len(nanos)} lines, {len(keys)} keys, {len(set(keys))} of them distinct")
    total_nano = sum(nanos)
    # A credit note shows the cents of the statement it takes back: negative totals mirror.
    sign = -1 if total_nano < 0 else 1
    parts: list[int] = []
    remainders: list[int] = []
    for nano in nanos:
        part, rest = divmod(sign * nano, NANO_PER_CENT)
        parts.append(part)
        remainders.append(rest)
    missing = cents_of_nano(sign * total_nano) - sum(parts)
    for place in largest_first(remainders, missing, keys, salt):
        parts[place] += 1
    return [sign * part for part in parts]
