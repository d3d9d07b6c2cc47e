"""`pull`."""

import json

import pytest

from tallybook.clock import parse_instant
from tallybook.pull.client import Patience
from usage_api import openai, served

SECRET = "sk-admin-T0pSecret"
FROM, TO = "2026-10-01", "2026-10-04T00:00:00Z"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", SECRET)
    monkeypatch.setattr("tallybook.cli.pull.Patience", lambda: Patience(2, lambda _: None))


def ask(call, api, *more):
    window = () if "--to" in more or "go on" in more else ("--from", FROM, "--to", TO)
    rest = [each for each in more if each != "go on"]
    return call("pull", "openai", "--base-url", api.url, *window, *rest, "--json")


def test_every_endpoint_comes_in_and_the_key_is_kept_nowhere(company, call):
    with served(openai) as api:
        found = ask(call, api)
        again = ask(call, api)
    assert found.code == 0
    assert {row["accepted"] for row in found.value} == {3}
    assert len(found.value) == 10
    assert {(row["accepted"], row["duplicate"]) for row in again.value} == {(0, 3)}
    with company.store.read() as tx:
        (first, *_) = [row.args for row in tx.rows("SELECT args FROM command WHERE name = 'pull'")]
    assert api.url in first
    kept = [path for path in company.home.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


def test_it_goes_on_where_it_stopped(company, call):
    with served(openai) as api:
        api.failures = [None, 500, 500]
        refused = ask(call, api, "--endpoint", "completions")
        assert (refused.code, "no answer in 2 tries" in refused.err) == (1, True)
        found = ask(call, api, "--endpoint", "completions", "go on")
    assert found.value[0]["from"] == "2026-10-01T00:00:00.000Z"
    assert parse_instant(found.value[0]["to"]) >= parse_instant(TO)


def test_a_start_after_the_last_end_is_refused_unless_the_gap_is_meant(company, call):
    one = ("--endpoint", "completions", "--endpoint", "images")
    with served(openai) as api:
        assert ask(call, api, *one).code == 0
        asked = len(api.asked)
        later = (*one, "go on", "--from", "2026-10-06", "--to", "2026-10-07")
        refused = ask(call, api, *later)
        assert (refused.code, len(api.asked)) == (1, asked)
        gap = "from 2026-10-04T00:00:00.000Z to 2026-10-06T00:00:00.000Z"
        assert f"completions {gap}; images {gap}" in refused.err
        assert "--leave-gap" in refused.err
        left = ask(call, api, *later, "--leave-gap")
        assert left.code == 0
        assert "pull openai --from 2026-10-04T00:00:00.000Z --to 2026-10-06T00" in left.err
        assert ask(call, api, *one, "go on", "--from", "2026-10-07", "--to", "2026-10-08").code == 0
    with company.store.read() as tx:
        rows = tx.rows("SELECT args FROM command WHERE args LIKE '%leave_gap%'")
    assert {json.loads(row.args)["from"] for row in rows} == {"2026-10-06"}


def test_what_one_endpoint_refuses_does_not_keep_the_others(call):
    with served(openai) as api:
        api.failures = [404]
        found = ask(call, api, "--endpoint", "completions", "--endpoint", "images")
    assert found.code == 1
    assert [row["stream"] for row in found.value] == ["images"]
    assert "completions: " in found.err


def test_a_refused_key_is_told_once_and_without_it(call):
    with served(openai) as api:
        api.failures = [401]
        refused = ask(call, api)
    assert refused.code == 1
    assert "the key is refused (status 401)" in refused.err
    assert SECRET not in refused.err + refused.out
    assert len(api.asked) == 1


def test_the_key_may_come_from_a_file(call, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    assert "OPENAI_ADMIN_KEY not set" in call("pull", "openai", "--from", FROM).err
    path = tmp_path / "key"
    path.write_text("sk-file\n")
    with served(openai) as api:
        assert ask(call, api, "--key-file", str(path), "--endpoint", "images").code == 0
    assert api.headers[0]["Authorization"] == "Bearer sk-file"


def test_wrong_usage_is_2(call):
    assert call("pull", "telepathy").code == 2
    assert call("pull", "openai", "--from", "yesterday").code == 2
    assert call("pull", "openai", "--endpoint", "costs").code == 2
    assert call("pull", "anthropic", "--endpoint", "costs").code == 2
    assert call("pull", "langfuse", "--endpoint", "agent").code == 2


def test_for_people_it_is_a_table(call):
    with served(openai) as api:
        found = call("pull", "openai", "--base-url", api.url, "--from", FROM, "--to", TO,
                     "--endpoint", "images")  # fmt: skip
    assert found.out.splitlines()[0].split() == [
        "stream", "from", "to", "pages", "accepted", "duplicate", "quarantined", "rejected"
    ]  # fmt: skip
