"""`tallybook serve`: who may be served, and by which token."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from otlp import as_json, request, span
from serving import serving
from tallybook.cli.main import cli
from tallybook.errors import WrongUsageError
from tallybook.store import Store

JSON = {"content-type": "application/json"}
BODY = as_json(request(span()))


@pytest.fixture
def home(tmp_path):
    Store.create(tmp_path / "books").close()
    return tmp_path / "books"


def refused(home, *options, **env):
    done = CliRunner(env={"TALLYBOOK_TOKEN": "", **env}).invoke(
        cli, ["--home", str(home), "serve", *options]
    )
    assert isinstance(done.exception, WrongUsageError)
    return str(done.exception)


def test_other_machines_are_served_only_with_a_token(home, tmp_path):
    assert "no token is set" in refused(home, "--host", "0.0.0.0", "--port", "0")
    empty = tmp_path / "tokens"
    empty.write_text("\n")
    assert "holds no token" in refused(home, "--token-file", str(empty))
    empty.write_bytes("schlüssel".encode("latin-1"))
    assert "is not UTF-8 text" in refused(home, "--token-file", str(empty))


def test_a_port_that_is_none_is_wrong_usage(home):
    done = CliRunner().invoke(cli, ["--home", str(home), "serve", "--port", "99999"])
    assert done.exit_code == 2
    assert "99999 is not in the range" in done.stderr


def test_a_token_lets_in(home, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("long-and-random\n")
    with serving(home, "--host", "0.0.0.0", "--token-file", str(tokens)) as server:
        server.host = "127.0.0.1"
        assert server.post(BODY, JSON)[0] == 401
        assert server.post(BODY, JSON | {"authorization": "Bearer long-and-random"})[0] == 200


def test_a_token_lets_in_for_what_its_line_says(home, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("sender ingest\ndesk keys as dana\n")
    options = ("--host", "0.0.0.0", "--token-file", str(tokens), "--anonymous")
    with serving(home, *options) as server:
        server.host = "127.0.0.1"
        assert server.post(BODY, JSON | {"authorization": "Bearer desk"})[0] == 403
        assert server.post(BODY, JSON | {"authorization": "Bearer sender"})[0] == 200
        assert server.post(BODY, JSON)[0] == 200
    tokens.write_text("sender ingset\n")
    assert "line 1 of the tokens" in refused(home, "--token-file", str(tokens))


def test_an_environment_variable_may_hold_the_token(home, monkeypatch):
    monkeypatch.setenv("TALLYBOOK_TOKEN", "from-outside")
    with serving(home) as server:
        assert server.post(BODY, JSON)[0] == 401
        assert server.post(BODY, JSON | {"authorization": "Bearer from-outside"})[0] == 200
