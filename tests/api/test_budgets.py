"""`/v1/budgets`: what the command line tells and does, over HTTP, guarded, in somebody's name."""

import json

import pytest

from asgi import asked
from people import company
from tallybook.api import make_app
from tallybook.api.acting import carried_out
from tallybook.api.guard import Guard, tokens_of
from tallybook.api.model import EVERY_SCOPE, Refusal
from tallybook.errors import StoreError

TOKEN = {"authorization": "Bearer s3cret"}
DANA = {**TOKEN, "x-tallybook-actor": "dana@acme", "content-type": "application/json"}
BOSS = {**DANA, "x-tallybook-actor": "boss@acme"}
MORE = {"budget": "feature:bot", "period": "2026-10", "amount": "1.00", "reason": "launch"}


@pytest.fixture
def acme(tmp_path, stores):
    made = company(tmp_path / "acme", opened=stores.open)
    yield made
    made.store.close()


TOKENS = """s3cret read,ask,approve,keys
boss read,approve as boss@acme
"""


@pytest.fixture
def call(acme):
    def run(method, path, headers=TOKEN, body=None, tokens=TOKENS):
        chunks = () if body is None else (json.dumps(body).encode(),)
        app = make_app(acme.store, clock=acme.clock, guard=Guard(tokens_of(tokens)))
        (answer,) = asked(app, (method, path, headers, *chunks))
        value = json.loads(answer.body) if answer.body else None
        return answer.status, value

    return run


def test_from_a_request_to_more(call):
    status, made = call("POST", "/v1/budgets/requests", DANA, MORE)
    assert (status, made["id"], made["requested_by"]) == (201, 1, "dana@acme")
    assert call("GET", "/v1/budgets/requests")[1] == [made]
    status, told = call("POST", "/v1/budgets/requests/1/approve", DANA, {})
    assert (status, "takes two people" in told["error"]) == (409, True)
    status, done = call("POST", "/v1/budgets/requests/1/approve", BOSS, {"amount": "0.50"})
    assert (status, done["state"], done["decision"]["decided_by"]) == (200, "approved", "boss@acme")
    assert call("GET", "/v1/budgets/requests/1")[1] == done
    assert call("GET", "/v1/budgets/requests")[1] == []
    (listed,) = call("GET", "/v1/budgets/requests?all=1&period=2026-10")[1]
    assert listed == done
    found = call("GET", "/v1/budgets")[1]
    assert found["budgets"][0]["in_force"] == "2.500000000"
    bot = call("GET", "/v1/budgets/feature:bot")[1]
    assert (bot["used"], bot["requests"]) == ("1.000000000000", [done])
    burns = call("GET", "/v1/budgets/burn")[1]
    assert burns[0]["last_increase"]["amount"] == "0.500000000"


def test_a_name_is_the_one_that_the_command_line_has(call):
    zoe = {**DANA, "x-tallybook-actor": "zoë@acme".encode().decode("latin-1")}
    assert call("POST", "/v1/budgets/requests", zoe, MORE)[1]["requested_by"] == "zoë@acme"
    wrong = {**DANA, "x-tallybook-actor": "zo\xeb@acme"}
    assert call("POST", "/v1/budgets/requests", wrong, MORE)[0] == 400


@pytest.mark.parametrize("number", ["0", str(2**31), str(10**30), "one"])
def test_a_number_that_no_request_has_is_not_asked_for_again(call, number):
    assert call("GET", f"/v1/budgets/requests/{number}")[0] == 422


def test_a_denial_wants_a_reason(call):
    call("POST", "/v1/budgets/requests", DANA, MORE)
    assert call("POST", "/v1/budgets/requests/1/deny", BOSS, {})[0] == 400
    assert call("POST", "/v1/budgets/requests/1/deny", BOSS, {"reason": " "})[0] == 400
    status, done = call("POST", "/v1/budgets/requests/1/deny", BOSS, {"reason": "no"})
    assert (status, done["state"]) == (200, "denied")


def test_a_use_case_is_proposed(call):
    body = {
        "feature": "triage", "team": "a", "provider": "X", "model": "x-1", "calls": 2_000,
        "tokens": {"input_uncached": 1_000, "output": 200}, "approvers": ["boss@acme"],
    }  # fmt: skip
    status, made = call("POST", "/v1/budgets/proposals", DANA, body)
    assert (status, made["details"]["limit"]) == (201, "50.000000000")
    status, told = call("POST", "/v1/budgets/requests/1/approve", BOSS, {})
    assert (status, "is a use case" in told["error"]) == (409, True)


@pytest.mark.both_stores
def test_an_amount_that_nothing_holds_is_not_to_come_again(call):
    body = {
        "feature": "triage", "team": "a", "provider": "X", "model": "x-1", "calls": 2**63 - 1,
        "tokens": {"output": 2**63 - 1}, "approvers": ["boss@acme"],
    }  # fmt: skip
    status, told = call("POST", "/v1/budgets/proposals", DANA, body)
    assert (status, "larger than a column holds" in told["error"]) == (400, True)


ROUTES = [
    ("POST", "/v1/traces", "ingest"),
    ("POST", "/v1/events", "ingest"),
    ("POST", "/v1/notices", "ingest"),
    ("GET", "/v1/live", "read"),
    ("GET", "/v1/alerts", "read"),
    ("GET", "/v1/budgets", "read"),
    ("GET", "/v1/budgets/burn", "read"),
    ("GET", "/v1/budgets/{name}", "read"),
    ("GET", "/v1/budgets/requests", "read"),
    ("GET", "/v1/budgets/requests/{number}", "read"),
    ("POST", "/v1/budgets/requests", "ask"),
    ("POST", "/v1/budgets/proposals", "ask"),
    ("POST", "/v1/budgets/requests/{number}/approve", "approve"),
    ("POST", "/v1/budgets/requests/{number}/deny", "approve"),
    ("GET", "/v1/keys", "keys"),
    ("POST", "/v1/keys", "keys"),
    ("POST", "/v1/keys/{key_id}/rotate", "keys"),
    ("POST", "/v1/keys/{key_id}/revoke", "keys"),
]


@pytest.mark.parametrize(("method", "route", "scope"), ROUTES)
def test_every_route_wants_a_token_that_may(call, acme, method, route, scope):
    path = route.format(name="feature:bot", number=1, key_id="vk")
    headers = {name: value for name, value in BOSS.items() if name != "authorization"}
    assert call(method, path, headers, {})[0] == 401
    before = acme.dump()
    others = ",".join(one for one in EVERY_SCOPE if one != scope)
    assert call(method, path, BOSS, {}, f"s3cret {others}")[0] == 403
    assert acme.dump() == before
    assert call(method, path, BOSS, {}, f"s3cret {scope}")[0] not in (401, 403)


def test_no_route_is_without_a_scope(acme):
    paths = make_app(acme.store, clock=acme.clock).openapi()["paths"]
    held = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert held == {route[:2] for route in ROUTES} | {("GET", "/healthz")}


def test_a_token_with_a_name_decides_in_that_name_alone(call):
    call("POST", "/v1/budgets/requests", DANA, MORE)
    boss = {**DANA, "authorization": "Bearer boss"}
    status, told = call("POST", "/v1/budgets/requests/1/approve", boss, {})
    assert (status, "acts as boss@acme" in told["error"]) == (403, True)
    unnamed = {name: value for name, value in boss.items() if name != "x-tallybook-actor"}
    done = call("POST", "/v1/budgets/requests/1/approve", unnamed, {})[1]
    assert done["decision"]["decided_by"] == "boss@acme"


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        (TOKEN | {"content-type": "application/json"}, MORE, 400, "X-Tallybook-Actor"),
        ({**DANA, "x-tallybook-actor": "a" * 201}, MORE, 400, "X-Tallybook-Actor"),
        ({**DANA, "content-type": "text/plain"}, MORE, 415, "application/json"),
        (DANA, {**MORE, "more": 1}, 400, "more"),
        (DANA, {"budget": "bot"}, 400, "period"),
        (DANA, [], 400, "not understood"),
        (DANA, {**MORE, "amount": "much"}, 400, "much"),
        (DANA, {**MORE, "reason": "a\0b"}, 400, "U+0000"),
        (DANA, {**MORE, "period": "soon"}, 400, "soon"),
        (DANA, {**MORE, "budget": "mars:x"}, 400, "names no budget"),
        (DANA, {**MORE, "budget": "feature:x"}, 409, "has no budget"),
        (DANA, {**MORE, "period": "2026-09"}, 409, "2026-09 ended"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_asked(call, headers, body, status, words):
    found, told = call("POST", "/v1/budgets/requests", headers, body)
    assert found == status
    assert words in told["error"]
    assert call("GET", "/v1/budgets/requests?all=1")[1] == []


def test_a_body_without_end_is_refused(call):
    body = {**MORE, "reason": "x" * 70_000}
    assert call("POST", "/v1/budgets/requests", DANA, body)[0] == 413


def test_what_is_not_there_is_told(call):
    assert call("GET", "/v1/budgets/requests/9")[0] == 409
    assert call("GET", "/v1/budgets/requests/nine")[0] == 422
    assert call("GET", "/v1/budgets/team:zeta")[0] == 409


def test_a_store_that_fails_is_told_to_come_again():
    def broken():
        raise StoreError("another command is writing")

    with pytest.raises(Refusal) as told:
        carried_out(broken)
    assert (told.value.status, told.value.retry_after_s) == (503, 5)
