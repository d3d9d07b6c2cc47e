"""INV-06: ingest is idempotent for ever and sees conflicts."""

from company import usage


def test_a_replay_changes_nothing_however_late(lived):
    before = lived.dump()
    result = lived.ingest(usage("o-1"), usage("n-1", started_at="2026-11-03T10:00:00Z"))
    assert (result.accepted, result.duplicate) == (0, 2)
    lived.clock.advance(10 * 365 * 86_400_000_000)
    assert lived.ingest(usage("o-1")).duplicate == 1
    assert lived.dump() == before


def test_the_same_id_with_another_record_is_put_aside(lived):
    result = lived.ingest(usage("o-1", tokens={"output": 1}))
    assert (result.accepted, result.quarantined) == (0, 1)
    assert lived.run("2026-11").entries == ()


def test_a_lost_claim_is_the_one_thing_that_fails(lived, damage):
    damage("DELETE FROM claim WHERE key = (SELECT key FROM claim ORDER BY key LIMIT 1)")
    failing = lived.failing()
    assert failing == {"INV-06": "6 claims for 7 sealed and 0 waiting events"}


def test_a_file_listed_twice_is_seen(lived, damage):
    damage(
        "INSERT INTO sealed_file SELECT 'events/x.parquet', period, rows, bytes, sha256, digest,"
        " min_us, max_us, meters, price_keys, supersedes, added, retired, kind FROM sealed_file"
        " WHERE period = '2026-10'"
    )
    path = next((lived.home / "lake" / "events" / "2026-10").glob("*.parquet"))
    (lived.home / "lake" / "events" / "x.parquet").write_bytes(path.read_bytes())
    assert "13 sealed events have 7 ids" in lived.failing("INV-06")["INV-06"]
