"""`gateway` and `key` from the command line."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.gateway.keyring import Keyring


def command(home, *words):
    return CliRunner().invoke(cli, words, obj=App(home, "operator"))


def test_a_key_lives_from_issue_to_revocation(tmp_path):
    made = command(
        tmp_path, "key", "issue", "vk", "--team", "support", "--expires", "2030-01-01", "--json"
    )
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert (told["teams"], told["expires"]) == (["support"], "2030-01-01T00:00:00.000Z")
    path = tmp_path / "gateway" / "keys.json"
    assert Keyring(path).find(told["secret"]).id == "vk"
    rotated = command(tmp_path, "key", "rotate", "vk", "--overlap-hours", "0")
    assert rotated.stdout.startswith("tbk_")
    listed = command(tmp_path, "key", "list")
    assert "support" in listed.stdout
    assert told["secret"] not in listed.stdout
    assert command(tmp_path, "key", "revoke", "vk").exit_code == 0
    assert all("revoked" in row for row in json.loads(command(tmp_path, "key", "list", "--json").stdout)["keys"])  # fmt: skip


def test_the_command_log_of_the_books_tells_who_acted(company):
    for words in (("issue", "vk", "--team", "a"), ("rotate", "vk"), ("revoke", "vk")):
        assert command(company.home, "key", *words).exit_code == 0
    with company.store.read() as tx:
        rows = tx.rows("SELECT name, actor FROM command WHERE name LIKE 'key %' ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        ("key issue", "operator"), ("key rotate", "operator"), ("key revoke", "operator"),
    ]  # fmt: skip


def test_without_books_it_is_said_that_no_log_tells_of_a_key(tmp_path):
    assert "no command log tells" in command(tmp_path, "key", "issue", "vk").stderr


def test_what_a_key_cannot_be_is_refused(tmp_path):
    for words in (("issue",), ("revoke", "nobody"), ("issue", "x", "--expires", "soon")):
        done = command(tmp_path, "key", *words)
        assert done.exit_code != 0
        assert not done.stdout


def test_a_configuration_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("K", "sk-1")
    path = tmp_path / "gateway.yaml"
    path.write_text(
        "spool: spool\nkeys: keys.json\nupstreams:\n"
        "  - {name: openai, kind: openai, url: 'https://api.openai.com', key_env: K}\n"
    )
    done = command(tmp_path, "gateway", "--config", str(path), "--check", "--json")
    assert json.loads(done.stdout)["upstreams"] == {"openai": "https://api.openai.com"}
    assert "sk-1" not in done.output
    monkeypatch.delenv("K")
    assert command(tmp_path, "gateway", "--config", str(path), "--check").exit_code != 0
