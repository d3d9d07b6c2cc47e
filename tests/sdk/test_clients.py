"""Clients that meter, and the settings of a process."""

from __future__ import annotations

import os

import httpx2
import pytest

from tallybook import sdk
from tallybook.sdk import clients
from tallybook.sdk.transport import library_of

FORKS = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

CHAT = "https://api.openai.com/v1/chat/completions"


@pytest.fixture
def process(tmp_path, monkeypatch):
    """A process of its own, as far as its hook goes."""
    made = clients._Process()
    monkeypatch.setattr(clients, "_PROCESS", made)
    monkeypatch.setenv("TALLYBOOK_SPOOL", str(tmp_path / "spool"))
    yield made
    made._end()


def post(**options):
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "r"}))
    with sdk.client(transport=transport, **options) as http:
        http.post(CHAT, json={"model": "gpt-4o"})


def events(folder):
    return [line for path in folder.iterdir() for line in path.read_text().splitlines()]


def test_the_environment_says_how_a_process_meters(process, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLYBOOK_TAGS", "team=support")
    post()
    assert sdk.health() == {"observed": 1, "spooled": 1}
    (line,) = events(tmp_path / "spool")
    assert '"team":"support"' in line
    assert clients.hook() is process.hook()


def test_a_process_says_it_itself(process, tmp_path):
    post()
    sdk.configure(spool=tmp_path / "other", tags={"team": "a", "purpose": "fun"})
    post()
    sdk.flush()
    assert len(events(tmp_path / "spool")) == 1
    (line,) = events(tmp_path / "other")
    assert '"team":"a"' in line
    assert "purpose" not in line


def test_a_setting_that_there_is_not_is_refused_where_it_is_made(process):
    with pytest.raises(TypeError):
        sdk.configure(spol="/tmp")


def test_a_client_waits_as_long_as_the_providers_own(process):
    with sdk.client() as http:
        assert http.timeout == httpx2.Timeout(600.0, connect=5.0)
        assert http.follow_redirects
    with sdk.client(timeout=3) as http:
        assert http.timeout == httpx2.Timeout(3)


def test_a_client_that_stands_is_metered_with_its_proxies(process, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.internal:3128")
    monkeypatch.setenv("NO_PROXY", "llm.internal")
    with sdk.client(trust_env=True) as http:
        assert {type(each).__name__ for each in http._mounts.values() if each} == {
            "MeteredTransport"
        }
        assert None in http._mounts.values()


def test_a_client_without_the_known_doors_is_left_as_it_is(process, caplog):
    thing = type("Strange", (), {})()
    assert sdk.metered(thing) is thing
    assert "client: KeyError" in caplog.text


def test_transports_are_of_the_library_of_what_they_wrap(process):
    inner = httpx2.MockTransport(lambda _: httpx2.Response(200))
    assert isinstance(sdk.transport(inner), httpx2.BaseTransport)
    assert isinstance(sdk.async_transport(inner), httpx2.AsyncBaseTransport)
    assert library_of(sdk.transport(inner)) == "httpx2"


def test_a_process_without_a_home_meters_nothing_and_works(process, monkeypatch, caplog):
    monkeypatch.delenv("TALLYBOOK_SPOOL")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    def nowhere():
        raise RuntimeError("no home")

    monkeypatch.setattr("tallybook.sdk.settings.Path.home", nowhere)
    post()
    assert "transport: RuntimeError" in caplog.text


@FORKS
def test_a_forked_child_meters_for_itself(process, tmp_path):
    post()
    child = os.fork()
    if child == 0:
        post()
        os._exit(0 if clients.hook().health.counts() == {"observed": 1, "spooled": 1} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(events(tmp_path / "spool")) == 2
