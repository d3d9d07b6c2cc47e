"""The servers that other tests ask for are there, and one of our own comes back after kill -9."""

import psycopg
import pytest

import servers


def test_a_database_of_its_own_and_gone_afterwards():
    with servers.postgres_database() as url, psycopg.connect(url) as database:
        database.execute("CREATE TABLE a (x int)")
        name = database.info.dbname
    with psycopg.connect(servers.postgres()) as server:
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert found is None


def test_a_server_that_was_killed_keeps_what_was_committed():
    with servers.own_postgres(fsync="on") as server:
        with psycopg.connect(server.address) as connection:
            connection.execute("CREATE TABLE a AS SELECT 7 AS x")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.address)
        server.start()
        with psycopg.connect(server.address) as connection:
            assert connection.execute("SELECT x FROM a").fetchone() == (7,)


def test_redis_answers_and_one_of_our_own_is_empty_after_a_kill():
    assert servers._pings(("127.0.0.1", int(servers.redis().rpartition(":")[2].partition("/")[0])))
    with servers.own_redis() as server:
        server.kill()
        server.start()
        assert servers._pings(("127.0.0.1", server.port))


def test_nothing_to_be_had_is_a_skip_and_in_ci_a_failure(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no server"):
        servers.missing("no server")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no server"):
        servers.missing("no server")
