"""The gateway's figures can be taken, with or without nginx and wrk."""

from __future__ import annotations

from bench import gateway


def test_latencies_are_measured(monkeypatch):
    monkeypatch.setattr(gateway, "QUICK_CALLS", 12)
    monkeypatch.setattr(gateway.shutil, "which", lambda _name: None)
    found = gateway.figures(quick=True)
    assert [one.unit for one in found] == ["ms"] * 9  # three of three: answer, first byte, chunk
    assert "for want of nginx" in found[1].what
    assert found[0].value > 0
