"""The two stores are measured on the same events."""

from bench.stores import figures

import servers


def test_every_step_is_measured_on_both(tmp_path):
    with servers.postgres_database() as url:
        found = {one.what: one.value for one in figures(tmp_path, url, 300)}
    assert [what.split()[0] for what in found if not what.startswith(" ")] == [
        "ingest", "run", "verify",
    ]  # fmt: skip
    assert found["  CPU of both as a multiple"] > 0
