"""The configuration file: checked whole, refused with file and line."""

from __future__ import annotations

import pytest

from tallybook.errors import BooksError
from tallybook.gateway.config import plain, read_config

GOOD = """
listen: "[::1]:8443"
workers: 2
spool: spool
keys: keys.json
default: local
upstreams:
  - {name: openai, kind: openai, url: "https://api.openai.com", key_env: OPENAI_API_KEY, stamp: [metadata]}
  - {name: local, kind: openai, provider: vllm, url: "http://127.0.0.1:8000/base/", stream_usage: false}
  - name: vertex
    kind: vertex
    url: https://europe-west1-aiplatform.googleapis.com
    key_command: [gcloud, auth, print-access-token]
    key_every_s: 600
    allow: ["POST /v1/projects/*/cachedContents"]
policy: {untagged: admit, required: [team], cost_header: true}
limits: {body_mib: 8, first_byte_s: 30}
"""


def test_a_file_is_read(tmp_path):
    (tmp_path / "gateway.yaml").write_text(GOOD)
    config = read_config(tmp_path / "gateway.yaml")
    assert (config.host, config.port, config.workers) == ("::1", 8443, 2)
    assert config.spool == tmp_path / "spool"
    openai, local, vertex = config.upstreams
    assert (openai.provider, openai.authority, openai.port) == ("openai", "api.openai.com", 443)
    assert (local.provider, local.base, local.url) == ("vllm", "/base", "http://127.0.0.1:8000")
    assert (vertex.provider, vertex.secret.command[0]) == ("google", "gcloud")
    assert (config.policy.untagged, config.policy.required) == ("admit", ("team",))
    assert (config.limits.body_bytes, config.limits.first_byte_s) == (8 * 1024 * 1024, 30)
    assert plain(config)["upstreams"]["local"] == "http://127.0.0.1:8000/base"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: openai, url", "kind: opnai, url", "gateway.yaml:8: upstreams 1, kind"),
        ("name: local,", "name: openai,", "'openai' stands twice"),
        ("default: local", "default: nobody", "'nobody' is no upstream"),
        ('"https://api.openai.com"', '"https://user:pw@api.openai.com"', "no address"),
        ('"https://api.openai.com"', '"ftp://api.openai.com"', "no address"),
        ('"https://api.openai.com"', '"https://api.openai.com/?a=b"', "no address"),
        ("key_env: OPENAI_API_KEY", "key_env: A, key_file: b", "key_env and key_file are set"),
        ("kind: vertex", "kind: bedrock", "region is missing"),
        ("stamp: [metadata]", "stamp: [labels]", "openai has no labels"),
        ("untagged: admit", "untagged: maybe", '"maybe" is not known'),
        ("first_byte_s: 30", "first_byte_s: 0", "0 is no time"),
        ('"[::1]:8443"', "8443", "is no address"),
        ('"POST /v1', '"/v1', "is no route"),
        ("keys: keys.json", "kees: keys.json", "kees"),
        ("workers: 2", "workers: 999", "999 workers"),
        ("name: local", "name: metrics", "is a path of its own"),
        ("spool: spool", "spool: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_what_and_where(tmp_path, old, new, told):
    assert old in GOOD
    (tmp_path / "gateway.yaml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(BooksError) as caught:
        read_config(tmp_path / "gateway.yaml")
    assert told in str(caught.value)
    assert "gateway.yaml:" in str(caught.value)
    assert ":pw@" not in str(caught.value)


def test_budgets_are_on_where_the_section_is(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD)
    assert read_config(path).budgets is None
    path.write_text(GOOD + "books: books\nbudgets:\n")
    assert read_config(path).budgets is None  # nothing is said in it
    path.write_text(GOOD + "books: books\nbudgets: {}\n")
    found = read_config(path).budgets
    assert (found.unpriced, found.blind, found.wait_s, found.lease_s) == (
        "refuse",
        "refuse",
        5,
        300,
    )
    path.write_text(
        GOOD
        + "ship_to: books:/home/acme\nbudgets: {server: 'redis://h:1/0', nodes: 3, header: true}\n"
    )
    found = read_config(path).budgets
    assert (found.server, found.nodes, found.header) == ("redis://h:1/0", 3, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("budgets: {}", "no books to read budgets from"),
        ("ship_to: https://x\nbudgets: {}", "no books to read budgets from"),
        ("books: b\nbudgets: {server: 'redis://:pw@h/0'}", "a password stands here"),
        ("books: b\nbudgets: {unpriced: maybe}", '"maybe" is not known'),
        ("books: b\nbudgets: {wait: 5}", "wait"),
    ],
)
def test_wrong_budgets_are_refused(tmp_path, text, says):
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD + text + "\n")
    with pytest.raises(BooksError) as refused:
        read_config(path)
    assert says in str(refused.value)
    assert "pw@" not in str(refused.value)
