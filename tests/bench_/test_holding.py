"""The measure of budgets runs and says what it should."""

from __future__ import annotations

from bench import holding


def test_holding_is_measured(monkeypatch):
    monkeypatch.setattr(holding, "CALLS", 200)
    monkeypatch.setattr(holding, "_TIMES", 1)
    found = [*holding.figures()]
    assert [one.unit for one in found] == ["us", "us", "us", "us", "x"]
    assert all(one.value > 0 for one in found)
