"""Books whose claims are full, and new events as lines of JSON, for the measure of ingest."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

from bench.company import FEATURES, TEAMS
from tallybook.clock import format_instant
from tallybook.store import Store
from tallybook.store.engine import BOOK

EVENTS = 200_000
_START_US = 1_790_000_000_000_000
_CHUNK = 1_000_000


def claim_ids(home: Path, count: int) -> None:
    """Fill the claims with random keys, in the order of the tree."""
    store = Store.open(home) if (home / BOOK).is_file() else Store.create(home)
    store.close()
    chance = random.Random(count)
    keys = sorted(chance.randbytes(16) for _ in range(count))
    with sqlite3.connect(home / BOOK) as database:
        for first in range(0, count, _CHUNK):
            rows = ((key, key) for key in keys[first : first + _CHUNK])
            database.executemany("INSERT INTO claim VALUES (?, ?, 1)", rows)
            database.commit()
    database.close()
    (home / "claimed").write_text(str(count), encoding="utf-8")


def new_events(claimed: int) -> int:
    """How many events to bring into books with so many claims."""
    return min(EVENTS, claimed)


def write_lines(home: Path, seed: int) -> Path:
    """A file of canonical events with new ids; another seed makes other ids."""
    events = new_events(int((home / "claimed").read_text(encoding="utf-8")))
    path = home / f"events-{seed}.jsonl"
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event(n, seed, chance)) + "\n" for n in range(events))
    return path


def event(n: int, seed: int, chance: random.Random) -> dict[str, object]:
    feature, model = chance.randrange(FEATURES), chance.randrange(60)
    return {
        "event_id": f"req-{seed}-{n}",
        "source": "gateway",
        "started_at": format_instant(_START_US + n * 100_000),
        "provider": "openai",
        "model": f"model-{model:02d}",
        "operation": "chat",
        "tokens": {
            "input_uncached": chance.randrange(1, 4000),
            "cache_read": chance.randrange(0, 60_000),
            "output": chance.randrange(1, 1500),
        },
        "usage": "reported",
        "status": "ok",
        "team": f"team-{feature % TEAMS:03d}",
        "feature": f"feature-{feature:04d}",
        "purpose": "production",
        "environment": "prod",
        "endpoint": f"/v1/chat-{feature % 12}",
        "trace_id": f"{chance.getrandbits(128):032x}",
        "span_id": f"{chance.getrandbits(64):016x}",
        "key_id": f"vk-{feature % TEAMS:03d}-production",
        "response_id": f"resp-{seed}-{n}",
        "latency_ms": chance.randrange(100, 9000),
    }
