"""Real credentials: taken from where they are kept, rotated under way, and shown nowhere."""

from __future__ import annotations

import sys

import pytest

from tallybook.errors import WrongUsageError
from tallybook.gateway.model import Secret, Upstream
from tallybook.gateway.secret import Credential


def upstream(kind="openai", **secret):
    return Upstream(
        name="up", kind=kind, host="x", port=1, tls=False, region="r", secret=Secret(**secret)
    )


def test_the_environment(monkeypatch):
    found = Credential(upstream(env="K"), {"K": " sk-1 \n"})
    assert found.lines == b"Authorization: Bearer sk-1\r\n"
    assert "sk-1" not in repr(found)
    assert found.marks == (b"sk-1",)


def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "key"
    path.write_text("one")
    found = Credential(upstream("anthropic", file=path))
    assert found.lines == b"x-api-key: one\r\n"
    path.write_text("second")
    found.refresh()
    assert found.lines == b"x-api-key: second\r\n"
    path.write_text("")
    with pytest.raises(WrongUsageError):
        found.refresh()
    assert found.value == "second"


def test_a_command_is_run_when_it_is_due():
    print_it = (sys.executable, "-c", "print('token-1')")
    found = Credential(upstream("vertex", command=print_it))
    assert found.lines == b"Authorization: Bearer token-1\r\n"
    assert not found.is_slow


def test_aws_credentials_have_parts(tmp_path):
    environment = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s"}
    assert Credential(upstream("bedrock"), environment).aws == ("AK", "s", "")
    path = tmp_path / "aws"
    path.write_text("AK:se/cret:tok:en")
    found = Credential(upstream("bedrock", file=path))
    assert found.aws == ("AK", "se/cret", "tok:en")
    assert found.marks == (b"se/cret", b"tok:en")


@pytest.mark.parametrize(
    ("kind", "secret", "environment"),
    [
        ("openai", {"env": "K"}, {}),
        ("openai", {"env": "K"}, {"K": "a\nb-secret"}),
        ("openai", {"env": "K"}, {"K": "\x00secret"}),
        ("bedrock", {"env": "K"}, {"K": "only-one-secret"}),
        ("bedrock", {}, {}),
        ("openai", {"command": (sys.executable, "-c", "import sys; sys.exit('secret')")}, {}),
        ("openai", {"command": ("/nonexistent/tool",)}, {}),
    ],
)
def test_what_is_no_credential_is_told_without_it(kind, secret, environment):
    with pytest.raises(WrongUsageError) as caught:
        Credential(upstream(kind, **secret), environment)
    assert "no credential for upstream 'up'" in str(caught.value)
    assert "secret" not in str(caught.value).replace("access-key:secret[", "")


def test_an_upstream_may_need_none():
    assert Credential(upstream()).lines == b""
