"""`init` and `apply`, and the command as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

import servers
from company import PRICES, org, policy, usage
from tallybook.cli import books, explain, ledger, month, options, proof, statements
from tallybook.cli import usage as usage_commands
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import Store


def folder(path, **files):
    path.mkdir(exist_ok=True)
    for kind, text in files.items():
        (path / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return str(path)


def test_init_makes_books_that_apply_as_they_are(call, tmp_path):
    home = tmp_path / "new"
    made = call("init", str(home), "--json")
    assert made.value["home"] == str(home)
    assert (home / "book.sqlite").is_file()
    assert call("init", str(home)).code == 1
    assert call("apply", made.value["books"], "--plan", "--json").code == 0


def logged(home):
    """Who made the books of a home, from what, and whether they were there."""
    with closing(Store.open(home)) as store, store.read() as tx:
        rows = tx.rows("SELECT args, actor FROM command WHERE name = 'init' ORDER BY seq")
    told = [json.loads(row.args) | {"actor": row.actor} for row in rows]
    return [tuple(one[name] for name in ("actor", "home", "from", "join")) for one in told]


def test_the_command_log_tells_who_made_and_who_copied_books(call, tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    call("init", one)
    call("init", two, "--from", one)
    assert logged(tmp_path / "one") == [("tester", one, "", False)]
    assert logged(tmp_path / "two") == [("tester", one, "", False), ("tester", two, one, False)]


@pytest.mark.parametrize("point", ["init.addressed", "migrate.done"])
@pytest.mark.parametrize("old", [False, True])
def test_an_init_that_is_killed_makes_no_books_and_is_given_again(
    company, call, tmp_path, point, old
):
    home = tmp_path / "new"
    words = ["init", str(home), *(["--from", str(company.home)] if old else [])]
    dies = (
        "import os, signal, sys; from tallybook.cli.main import cli;"
        " from tallybook.store import faults\n"
        f"faults.reached = lambda at: at == {point!r} and os.kill(os.getpid(), signal.SIGKILL)\n"
        "cli(sys.argv[1:])"
    )
    killed = subprocess.run([sys.executable, "-c", dies, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(StoreError, match="no books in this database"):
        Store.open(home)
    assert call(*words).code == 0
    with closing(Store.open(home)) as made, made.read() as tx:
        held = tx.scalar("SELECT COUNT(*) FROM document")
    assert (held > 0, (home / "books").exists()) == (old, not old)
    assert call(*words).code == 1


def test_init_names_a_database_and_other_hosts_join(call, tmp_path):
    lake = (tmp_path / "shared").as_uri()
    with servers.postgres_database() as url:
        one, two = str(tmp_path / "one"), str(tmp_path / "two")
        assert call("init", one, "--store", url, "--lake", lake, "--json").code == 0
        assert not (tmp_path / "one" / "book.sqlite").exists()
        again = call("init", two, "--store", url, "--lake", lake)
        assert again.code == 1
        assert "--join" in again.err
        assert call("init", two, "--store", url, "--lake", lake, "--join").code == 0
        assert [row[1:] for row in logged(tmp_path / "two")] == [(one, "", False), (two, "", True)]
        told = call("upgrade", two, "--json")
        assert told.value["steps"] == []
        assert call("upgrade", two, "--to", "0007").code == 0
        with pytest.raises(CorruptedError, match="tallybook upgrade"):
            Store.open(tmp_path / "one")
        assert call("upgrade", one).code == 0
    secret = call("init", str(tmp_path / "x"), "--store", "postgresql://u:s3cret@host/db")
    assert secret.code == 1
    assert "PGPASSWORD" in secret.err
    assert "s3cret" not in secret.err


def test_a_plan_records_nothing(company, call, tmp_path):
    wanted = folder(tmp_path / "f", org=org().replace("Team A", "Team Z"), policy=policy("2020-01"),
                    prices=PRICES)  # fmt: skip
    before = company.dump()
    planned = call("apply", wanted, "--plan", "--json").value
    assert planned["kinds"] == ["org"]
    assert company.dump() == before
    assert call("apply", wanted, "--json").value == {"recorded": {"org": 2}}
    assert call("apply", wanted, "--json").value == {"recorded": {}}


def test_a_wrong_folder_is_refused_whole(company, call, tmp_path):
    wanted = folder(tmp_path / "f", org="company: nonsense", policy="versions: []")
    before = company.dump()
    refused = call("apply", wanted, "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "org.yaml:1" in refused.err
    assert company.dump() == before


def process(*args, home=None, **env):
    return subprocess.run(
        [sys.executable, "-c", "from tallybook.cli.main import main; main()", *args],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **({"TALLYBOOK_HOME": str(home)} if home else {}), **env},
    )


def test_a_month_by_real_processes_says_nothing_but_json(tmp_path):
    home = tmp_path / "home"
    assert process("init", str(home)).returncode == 0
    books_folder = folder(home / "books", org=org(), policy=policy("2020-01"), prices=PRICES)
    (home / "books" / "budgets.yaml").unlink()
    calls = home / "calls.jsonl"
    calls.write_text(json.dumps(usage()) + "\n" + "broken\n", encoding="utf-8")
    applied = process("apply", books_folder, "--json", home=home)
    assert json.loads(applied.stdout)["recorded"]
    ingested = process("ingest", "jsonl", str(calls), "--json", home=home, TZ="Asia/Kolkata")
    assert ingested.returncode == 1
    assert json.loads(ingested.stdout)["rejected"] == 1
    assert json.loads(process("run", "2026-10", "--json", home=home).stdout)["events"] == 1
    shown = process("--home", str(home), "statement", "2026-10", "--json", LC_ALL="C")
    assert json.loads(shown.stdout)["charged_total"] == "1.15"


def test_errors_are_one_message_on_standard_error(tmp_path):
    nowhere = process("run", "2026-10", "--json", home=tmp_path)
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert nowhere.stderr.startswith("tallybook: ")
    assert "Traceback" not in nowhere.stderr
    assert process("nonsense").returncode == 2
    assert process("run", "never", home=tmp_path).returncode == 2


def test_every_module_of_the_command_line_is_a_command():
    modules = (books, explain, ledger, month, options, proof, statements, usage_commands)
    assert all(module.__doc__ for module in modules)


def test_init_copies_books_to_another_store(company, call, tmp_path):
    company.ingest(usage("1"))
    company.run()
    with servers.postgres_database() as url:
        copy = str(tmp_path / "copy")
        told = call("init", copy, "--from", str(company.home), "--store", url, "--json")
        assert told.value["files"] == 1
        assert "copied" in call("init", str(tmp_path / "back"), "--from", copy).out
    assert "--join takes the database" in call("init", copy, "--join").err
    refused = call("init", copy, "--from", str(company.home), "--join")
    assert (refused.code, "exclude" in refused.err) == (2, True)
