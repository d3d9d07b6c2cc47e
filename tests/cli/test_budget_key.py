"""The key of a use case is issued once."""

from tallybook.budget.model import Request
from tallybook.cli.budget_key import issued_key
from tallybook.gateway.keyring import Keyring


def test_a_key_is_issued_once_and_bound_to_its_use_case(company, tmp_path):
    begun = Request(
        id=1, kind="use_case", scope="feature", subject="triage", period=None, amount_nano=1,
        until_us=0, reason="r", requested_by="dana", at_us=1,
        details={"key": "vk-triage", "team": "a", "purpose": "production"},
    )  # fmt: skip
    path = tmp_path / "keys.json"
    secret = issued_key(company.store, path, begun, "pm", 5)
    key = Keyring(path).find(secret)
    assert (key.id, key.teams, key.features, key.purposes) == (
        "vk-triage", ("a",), ("triage",), ("production",),
    )  # fmt: skip
    assert issued_key(company.store, path, begun, "pm", 6) == ""
