"""Books, a client without waiting, and streams pulled from the server on this machine."""

import itertools

import pytest

from tallybook.clock import FixedClock, parse_instant
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.registry import open_product
from tallybook.pull import anthropic, langfuse, openai
from tallybook.pull.client import Client, Patience
from tallybook.pull.key import Key
from tallybook.pull.run import Pull
from tallybook.store import Store

SECRET = "sk-admin-T0pSecret:sk-lf-0ther"
NOW_US = parse_instant("2026-10-10T12:30:00Z")
APIS = {"openai": openai, "anthropic": anthropic, "langfuse": langfuse}


@pytest.fixture
def key():
    return Key(SECRET, "a test")


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client_of(key, waits):
    clients = []

    def made(api, name="openai", tries=4):
        patience = Patience(tries, waits.append, lambda: 1.0)
        headers = APIS[name].headers(key)
        clients.append(Client(api.url, headers, key, FixedClock(NOW_US), patience))
        return clients[-1]

    yield made
    for client in clients:
        client.close()


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


@pytest.fixture
def pull_of(client_of, store):
    """A pull of one API into the books; every call is a new command."""
    ids = itertools.count()

    def bring_in(product, file):
        return ingest(
            store,
            open_product(product, [file]),
            clock=FixedClock(NOW_US),
            new_id=lambda: f"s-{next(ids)}",
            on_progress=None,
            reject_folder=store.home / "rejects",
        )

    def made(api, name="openai", tries=4):
        client = client_of(api, name, tries)
        return Pull(client, store.home / "pulls", bring_in, NOW_US, lambda _pages: None)

    return made


@pytest.fixture
def inbox_rows(store):
    from pyarrow import ipc  # noqa: PLC0415

    def rows():
        with store.read() as tx:
            blobs = [row.events for row in tx.rows("SELECT events FROM inbox ORDER BY batch")]
        return [row for blob in blobs for row in ipc.open_stream(blob).read_all().to_pylist()]

    return rows
