"""What all connections of one process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallybook.clock import Clock
from tallybook.gateway.budgets import Budgets
from tallybook.gateway.call import Ledger
from tallybook.gateway.counters import Counters, Row
from tallybook.gateway.desk import Desk
from tallybook.gateway.journal import Journal
from tallybook.gateway.keyring import Keyring
from tallybook.gateway.model import GatewayConfig, Limits, Upstream
from tallybook.gateway.prices import PriceTable
from tallybook.gateway.secret import Credential
from tallybook.gateway.turn import Turn
from tallybook.gateway.upstream import Pool
from tallybook.sdk.counters import Health

if TYPE_CHECKING:
    from tallybook.gateway.client import Client
    from tallybook.gateway.exchange import Exchange


@dataclass(slots=True)
class Works:
    """See above.

    ``time`` is the loop's, in seconds; ``soon`` has it do something when it is free; ``stopping``
    while calls are finished.
    """

    config: GatewayConfig
    desk: Desk
    ledger: Ledger
    clock: Clock
    counters: Row
    table: Counters
    health: Health
    time: Callable[[], float]
    soon: Callable[[Callable[[], None]], object]
    credentials: dict[str, Credential]
    keys: Keyring
    journal: Journal
    prices: PriceTable | None = None
    budgets: Budgets | None = None
    pools: dict[str, Pool] = field(default_factory=dict)
    clients: set[Client] = field(default_factory=set)
    exchanges: set[Exchange] = field(default_factory=set)
    stopping: bool = False
    ready: bool = True

    limits: Limits = field(init=False)
    """of the configuration"""
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        """Keep at hand what every call asks for."""
        self.limits = self.config.limits
        self.turn = Turn(self.soon, self.ledger.end_turn, self.health)

    def pool_of(self, upstream: Upstream) -> Pool:
        """The connections to an upstream."""
        held = self.pools.get(upstream.name)
        if held is None:
            held = self.pools[upstream.name] = Pool(upstream, self)
        return held
