"""`/v1/keys`: a secret is told once and kept nowhere, and every act is in the command log."""

import json

import pytest

from asgi import asked
from people import company
from tallybook.api import make_app
from tallybook.api.guard import OPEN, Guard, tokens_of
from tallybook.api.keys import keys_router
from tallybook.errors import StoreError
from tallybook.gateway.keyring import Keyring

DANA = {
    "authorization": "Bearer s3cret", "x-tallybook-actor": "dana@acme",
    "content-type": "application/json",
}  # fmt: skip
KEY = {"id": "vk-bot", "teams": ["a"], "features": ["bot"], "purposes": ["production"]}


@pytest.fixture
def acme(tmp_path):
    made = company(tmp_path / "acme")
    yield made
    made.store.close()


@pytest.fixture
def call(acme):
    def run(method, path, body=None):
        chunks = () if body is None else (json.dumps(body).encode(),)
        app = make_app(acme.store, clock=acme.clock, guard=Guard(tokens_of("s3cret keys")))
        (answer,) = asked(app, (method, path, DANA, *chunks))
        assert answer.status >= 400 or answer.headers["cache-control"] == "no-store"
        return answer.status, json.loads(answer.body)

    return run


def ring(acme):
    return Keyring(acme.home / "gateway" / "keys.json")


def test_a_key_lives_and_ends(call, acme):
    status, made = call("POST", "/v1/keys", {**KEY, "expires": "2027-01-01"})
    assert (status, made["id"], made["expires"]) == (201, "vk-bot", "2027-01-01T00:00:00.000Z")
    first = ring(acme).find(made["secret"])
    assert (first.teams, first.features, first.purposes) == (("a",), ("bot",), ("production",))
    status, turned = call("POST", "/v1/keys/vk-bot/rotate", {"overlap_hours": 0})
    assert status == 200
    assert ring(acme).find(made["secret"]).revoked_us
    assert not ring(acme).find(turned["secret"]).revoked_us
    assert call("POST", "/v1/keys/vk-bot/revoke", {}) == (200, {"id": "vk-bot", "revoked": 1})
    assert ring(acme).find(turned["secret"]).revoked_us


def test_a_secret_is_told_once_and_kept_nowhere(call, acme, caplog):
    secrets = [
        call("POST", "/v1/keys", KEY)[1]["secret"],
        call("POST", "/v1/keys/vk-bot/rotate", {})[1]["secret"],
    ]
    listed = json.dumps(call("GET", "/v1/keys")[1])
    kept = b"".join(path.read_bytes() for path in acme.home.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in listed
        assert secret.encode() not in kept
        assert secret not in caplog.text


def test_who_acted_is_in_the_command_log(call, acme):
    call("POST", "/v1/keys", KEY)
    call("POST", "/v1/keys/vk-bot/rotate", {})
    call("POST", "/v1/keys/vk-bot/revoke", {})
    with acme.store.read() as tx:
        rows = tx.rows("SELECT name, actor, args FROM command WHERE name LIKE 'key %' ORDER BY seq")
    assert [(row.name, row.actor) for row in rows] == [
        ("key issue", "dana@acme"), ("key rotate", "dana@acme"), ("key revoke", "dana@acme"),
    ]  # fmt: skip
    assert json.loads(rows[0].args)["features"] == ["bot"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("", {**KEY, "id": "no way"}, "is no id"),
        ("", {**KEY, "purposes": ["fun"]}, "is no purpose"),
        ("", {**KEY, "expires": "soon"}, "no instant"),
        ("", {**KEY, "secret": "x"}, "secret"),
        ("/vk-none/rotate", {}, "no key 'vk-none' is in force"),
        ("/vk-none/revoke", {}, "no key 'vk-none' is in force"),
        ("/vk-none/rotate", {"overlap_hours": -1}, "an overlap of -1 hours"),
    ],
)
def test_what_is_wrong_is_said_and_no_key_changes(call, acme, path, body, words):
    status, told = call("POST", f"/v1/keys{path}", body)
    assert status == 400
    assert words in told["error"]
    assert call("GET", "/v1/keys") == (200, [])


def test_books_that_cannot_be_written_make_no_secret_but_end_one(call, acme, monkeypatch):
    secret = call("POST", "/v1/keys", KEY)[1]["secret"]

    def fails():
        raise StoreError("another command is writing")

    with monkeypatch.context() as locked:
        locked.setattr(acme.store, "write", fails)
        assert call("POST", "/v1/keys", {"id": "vk-new"})[0] == 503
        assert call("POST", "/v1/keys/vk-bot/rotate", {})[0] == 503
        assert [one["id"] for one in call("GET", "/v1/keys")[1]] == ["vk-bot"]
        assert call("POST", "/v1/keys/vk-bot/revoke", {})[0] == 503
    assert ring(acme).find(secret).revoked_us
    assert call("POST", "/v1/keys", {"id": "vk-new"})[0] == 201


def test_a_folder_that_refuses_is_told(call, acme):
    (acme.home / "gateway").write_text("in the way")
    status, told = call("POST", "/v1/keys", KEY)
    assert (status, str(acme.home) in told["error"]) == (503, False)


def test_a_key_in_force_is_not_issued_again(call):
    call("POST", "/v1/keys", KEY)
    status, told = call("POST", "/v1/keys", KEY)
    assert (status, "is in force" in told["error"]) == (400, True)


def test_another_key_file_may_be_named(acme, tmp_path):
    router = keys_router(acme.store, acme.clock, OPEN, tmp_path / "other.json")
    assert {route.path for route in router.routes} == {
        "/v1/keys", "/v1/keys/{key_id}/rotate", "/v1/keys/{key_id}/revoke",
    }  # fmt: skip
