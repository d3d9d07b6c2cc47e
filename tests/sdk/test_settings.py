"""Settings from the environment; what cannot be read is told and has its default."""

import logging
from pathlib import Path

from tallybook.sdk.settings import MIB, from_environment


def test_an_empty_environment_has_defaults():
    settings = from_environment({"XDG_STATE_HOME": "/state"})
    assert settings.spool == Path("/state/tallybook/spool")
    assert (settings.ship_to, settings.stream_usage, dict(settings.tags)) == ("", "known", {})
    assert from_environment({}).spool == Path.home() / ".local/state/tallybook/spool"


def test_everything_can_be_told():
    settings = from_environment(
        {
            "TALLYBOOK_SPOOL": "/var/spool",
            "TALLYBOOK_SHIP_TO": "https://books.example",
            "TALLYBOOK_TOKEN": "secret",
            "TALLYBOOK_TAGS": "team=support, feature=refund-bot,",
            "TALLYBOOK_KEY_NAME": "prod-1",
            "TALLYBOOK_PROVIDERS": "llm.internal:8000=vertex_ai",
            "TALLYBOOK_STREAM_USAGE": "never",
            "TALLYBOOK_SPOOL_MIB": "7",
        }
    )
    assert settings.tags == {"team": "support", "feature": "refund-bot"}
    assert settings.providers == {"llm.internal:8000": "google"}
    assert (settings.key_name, settings.stream_usage) == ("prod-1", "never")
    assert settings.spool_bytes == 7 * MIB
    assert "secret" not in repr(settings)


def test_what_cannot_be_read_is_told(caplog):
    with caplog.at_level(logging.WARNING):
        settings = from_environment(
            {
                "TALLYBOOK_STREAM_USAGE": "maybe",
                "TALLYBOOK_SPOOL_MIB": "much",
                "TALLYBOOK_TAGS": "team=,purpose=fun",
            }
        )
    assert (settings.stream_usage, settings.spool_bytes, settings.tags) == ("known", 1024 * MIB, {})
    assert len(caplog.records) == 4
