"""A hook with a spool of its own, and what came into the spool."""

from __future__ import annotations

from itertools import count

import httpx2
import msgspec
import pytest

from tallybook.clock import FixedClock, parse_instant
from tallybook.meter.read import read_event
from tallybook.sdk.clients import async_client, client
from tallybook.sdk.hook import Hook
from tallybook.sdk.settings import Settings


class Metered:
    """A hook, clients through it, and the events that they left."""

    def __init__(self, folder, **settings):
        self.folder = folder
        numbers = count(1)
        self.hook = Hook(
            Settings(spool=folder, **{"providers": {"api.test": "openai"}, **settings}),
            clock=FixedClock(parse_instant("2026-10-03T10:00:00Z")),
            new_id=lambda: f"e{next(numbers)}",
        )

    def client(self, handler, **options):
        return client(hook=self.hook, transport=httpx2.MockTransport(handler), **options)

    def async_client(self, handler, **options):
        return async_client(hook=self.hook, transport=httpx2.MockTransport(handler), **options)

    def events(self):
        """Every event so far; each is one that `ingest jsonl` takes."""
        found = [
            msgspec.json.decode(line)
            for path in sorted(self.folder.glob("*"))
            for line in path.read_bytes().splitlines()
        ]
        for event in found:
            read_event(event)
        return found

    @property
    def counts(self):
        return self.hook.health.counts()


@pytest.fixture
def make_metered(tmp_path):
    made = []

    def make(name="spool", **settings):
        made.append(Metered(tmp_path / name, **settings))
        return made[-1]

    yield make
    for each in made:
        each.hook.close()


@pytest.fixture
def metered(make_metered):
    return make_metered()
