"""The comparison of engines measures what it says; Spark itself is proven in tests/engines."""

import pytest
from bench.engines import measured
from bench.generate import make_home


def test_an_engine_is_measured_with_a_digest_of_its_lines(tmp_path):
    make_home(tmp_path / "home", 500)
    first, again = (measured("duckdb", tmp_path / "home", "") for _ in range(2))
    assert first["digest"] == again["digest"]
    assert len(first["wall_s"]) == 2
    assert first["lines"] > 100
    assert first["cpu_s"] > 0
    assert first["peak_bytes"] > 10_000_000
    assert first["start_s"] == pytest.approx(0, abs=60)
