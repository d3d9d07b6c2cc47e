"""The process that brings events to the books, apart from the traffic: a dead store stops no call.

It also finds the calls of processes that died, and writes their events.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from pathlib import Path
from typing import Final

from tallybook.clock import SystemClock, told_by_signals
from tallybook.errors import DeliveryError, TallybookError
from tallybook.gateway.counters import Counters, Row
from tallybook.gateway.journal import recover
from tallybook.gateway.model import GatewayConfig
from tallybook.gateway.notices import notices_of, send_notices, ship_notices
from tallybook.sdk.counters import Health
from tallybook.sdk.destinations import Server, destination
from tallybook.sdk.shipping import ship
from tallybook.sdk.spool import waiting

LOG: Final = logging.getLogger("tallybook.gateway")
_EVERY_S: Final = 1.0
_PAUSE_MAX_S: Final = 60.0
_LOCAL: Final = "books:"
_REMOTE: Final = ("http:", "https:")
_NOTICES: Final = "/v1/notices"


def run(config: GatewayConfig, table: Counters, row: int, parent: int) -> None:
    """Ship until told to stop; what waits then stays in the spool, for the next start."""
    counters, health = table.row(row), Health()
    pause_s = _EVERY_S
    with told_by_signals() as stop:
        while not stop.wait(pause_s):
            pause_s = _EVERY_S if once(config, counters, health) else min(2 * pause_s, _PAUSE_MAX_S)
            if os.getppid() != parent:
                return


def once(config: GatewayConfig, counters: Row, health: Health) -> bool:
    """Find what dead processes left, and ship what waits; whether it could be delivered."""
    try:
        counters.add("recovered", recover(config.spool, health))
        if config.ship_to and waiting(config.spool):
            # Opened for each round: a store that was gone is there again without a restart.
            with closing(destination(config.ship_to, os.environ.get("TALLYBOOK_TOKEN", ""))) as to:
                ship(config.spool, to, health=health)
        _ship_notices(config, health)
    except (TallybookError, OSError) as error:
        health.warn("ship", str(error))
        return False
    except Exception as error:  # noqa: BLE001 - a store may fail in any way; events wait
        health.failed("ship", error)
        return False
    return True


def _ship_notices(config: GatewayConfig, health: Health) -> None:
    """Bring what was done at limits to books on this machine or to a server; else it waits."""
    folder, to = notices_of(config.spool), config.ship_to
    if to.startswith(_LOCAL) and waiting(folder):
        from tallybook.store import Store  # noqa: PLC0415 - databases, which other ways need not

        with closing(Store.open(Path(to.removeprefix(_LOCAL)))) as store:
            ship_notices(folder, store, SystemClock())
    elif to.startswith(_REMOTE) and waiting(folder):
        token = os.environ.get("TALLYBOOK_TOKEN", "")
        with closing(Server(to, token, _NOTICES)) as server:
            try:
                send_notices(folder, server)
            except DeliveryError as error:  # an older server takes events and no notices
                health.warn("notices", str(error))
