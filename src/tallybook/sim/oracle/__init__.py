"""The oracle: one company's month by naive folds over exact fractions, apart from the engine.

It imports nothing else of the house and is slow on purpose: every call is looked at by itself, no
amount is ever rounded but a discounted price, and the rules stand in the code as they are written.
What the engine books must be what this expects.
"""

from tallybook.sim.oracle.expect import Expectation, TeamShare, expected
from tallybook.sim.oracle.ledger import NANO, agrees

__all__ = ["NANO", "Expectation", "TeamShare", "agrees", "expected"]
