"""The benchmark of spans claims what it makes, by either wire."""

from __future__ import annotations

from bench import otlp


def test_each_wire_is_measured(monkeypatch):
    monkeypatch.setattr(otlp, "SPANS", otlp.A_REQUEST)
    found = otlp.otlp_figures(1)
    assert [one.what.split()[3] for one in found] == ["protobuf,", "JSON,"]
    assert all(one.value > 0 and one.least == otlp.LEAST for one in found)
