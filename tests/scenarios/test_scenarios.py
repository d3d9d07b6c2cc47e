"""One October under each model, from events to statements: a readable file says what must come out.

A scenario file holds the policy of its column and what the books must then say, to the cent. The
company, its prices, budgets and events are those of the folder ``october``, the same for all, but for
what the file says of its own: ``services`` for those of the company, ``events`` beside those of all.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from company import Company, plain, usage
from stores import STORES, USUAL, Stores
from tallybook.report.body import json_text

HERE = Path(__file__).parent
OCTOBER = HERE / "october"
SCENARIOS = sorted(path.stem for path in HERE.glob("*.txt"))
OTHER = dict(zip(STORES, reversed(STORES), strict=True))

POLICY = """
versions:
  - effective_from: 2026-10
{models}
    rate_card: {{basis: contract, freeze: monthly}}
    pools:
      - {{id: gateway, monthly: "150.00", driver: calls, recovered_by: markup}}
      - {{id: quality, driver: production_cost}}
    evaluation: {{funding: pooled, pool: quality}}
    limits: {{unallocated: "100%"}}
"""


def sections(name):
    """Heading to lines, blank lines left out; `central 50.00 of 1070.00` keeps its figures."""
    found, heading = defaultdict(list), ""
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            heading = line.removeprefix("== ")
        elif line.strip():
            found[heading].append(line.rstrip())
    return dict(found)


def org_of(name):
    """The company's chart, with the services that the scenario says."""
    text = (OCTOBER / "org.yaml").read_text(encoding="utf-8")
    own = sections(name).get("services")
    if own is None:
        return text
    before, _, after = text.partition("services:\n")
    return f"{before}services:\n" + "\n".join(own) + "\n" + after[after.index("unowned:") :]


def events(name):
    made = []
    rows = (OCTOBER / "events.txt").read_text(encoding="utf-8").splitlines()
    for row in [*rows, *sections(name).get("events", ())]:
        if row.startswith("#"):
            continue
        event, day, calls, model, *rest = row.split()
        pairs = dict(pair.split("=") for pair in rest if pair != "-")
        tags = {key: pairs.pop(key, None) for key in ("team", "feature", "purpose", "service")}
        provider, _, model = model.partition("/")
        made += [
            usage(
                f"{event}-{day}-{number}",
                started_at=f"{day}T12:00:{number:02}Z",
                provider=provider,
                model=model,
                tokens={key: int(count) for key, count in pairs.items()},
                **tags,
            )
            for number in range(int(calls))
        ]
    return made


def lived(company, name):
    """A company's October under one column, closed."""
    models = "\n".join(f"    {line}" for line in sections(name)["policy"])
    company.apply(
        policy=POLICY.format(models=models),
        org=org_of(name),
        **{
            kind: (OCTOBER / f"{kind}.yaml").read_text(encoding="utf-8")
            for kind in ("prices", "budgets")
        },
    )
    company.ingest(*events(name))
    company.pool("2026-10", "gateway", "160.00")
    company.run()
    company.close()
    return company


@pytest.fixture(scope="module")
def october(tmp_path_factory):
    """Books of each column, made once: closed, with the journal as it was before the close."""
    made = {}

    def books(name):
        if name not in made:
            made[name] = lived(Company(tmp_path_factory.mktemp(name)), name)
        return made[name]

    yield books
    for company in made.values():
        company.store.close()


def amounts(lines):
    """`  Cost:X  650.00` lines as a mapping."""
    return dict(line.split() for line in lines)


def entries_of(lines):
    """(reason, text, balances by account) of each entry, in order."""
    found = []
    for line in lines:
        if line.startswith("  "):
            account, amount = line.split()
            found[-1][1][account] = amount
        else:
            found.append((line, {}))
    return found


def posted(company):
    found = []
    for entry in company.journal("2026-10"):
        held = defaultdict(int)
        for posting in entry.postings:
            held[posting.account] += posting.amount_nano
        accounts = {account: plain(nano) for account, nano in held.items()}
        found.append((f"{entry.reason}: {entry.text}", accounts))
    return found


def words(line):
    return " ".join(line.split())


def statement_lines(issue):
    for each in issue.statements:
        yield f"{each.team} {'charged' if each.charged else 'shown'} {cents(each.total_cents)}"
        for line in each.lines:
            named = (line.kind, line.feature, line.purpose, line.detail)
            yield f"{' '.join(filter(None, named))} {cents(line.amount_cents)}"
        for note in each.notes:
            named = (note.kind, note.feature, note.purpose, note.label)
            yield (
                f"not added: {' '.join(filter(None, named))}, {note.quantity.calls} calls"
                f" {cents(note.amount_cents)}"
            )


def by_team(lines):
    """Each team's heading with its lines, sorted: rendering orders them, the body does not."""
    found = []
    for line in lines:
        if line.split()[1] in ("charged", "shown") and not line.startswith("not added"):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return [(heading, sorted(rest)) for heading, rest in found]


def cents(amount):
    return plain(amount * 10**7)


@pytest.mark.parametrize("name", SCENARIOS)
def test_journal(october, name):
    assert posted(october(name)) == entries_of(sections(name)["journal"])


@pytest.mark.parametrize("name", ["budget_committed", "mixed", "real_cost"])
def test_on_the_other_store_it_comes_to_the_same_bytes(october, tmp_path, name):
    here, stores = october(name), Stores(OTHER[USUAL])
    there = lived(Company(tmp_path / "books", opened=stores.open), name)
    assert posted(there) == entries_of(sections(name)["journal"])
    assert json_text(there.statements()) == json_text(here.statements())
    assert there.rebuilt() == {("2026-10", 1): ""}
    assert there.failing() == {}
    there.store.close()
    stores.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_trial_balance(october, name):
    assert october(name).balances("2026-10") == amounts(sections(name)["trial balance"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_statements(october, name):
    issue = october(name).statements()
    assert by_team(statement_lines(issue)) == by_team(map(words, sections(name)["statements"]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_central_and_ledger_cost(october, name):
    issue = october(name).statements()
    (heading,) = [found for found in sections(name) if found.startswith("central")]
    total, cost = cents(issue.central_total_cents), cents(issue.ledger_cost_cents)
    assert heading == f"central {total} of {cost}"
    found = [f"{line.kind} {line.detail} {cents(line.amount_cents)}" for line in issue.central]
    assert sorted(map(words, found)) == sorted(map(words, sections(name)[heading]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_invariant_holds(october, name):
    assert october(name).failing() == {}


def test_the_cost_layer_is_the_same_under_every_model():
    """But for scenarios with usage of their own."""
    layers = {
        name: entries_of(sections(name)["journal"])[:4]
        for name in SCENARIOS
        if "events" not in sections(name)
    }
    assert len(layers) == 15
    assert all(layer == layers["real_cost"] for layer in layers.values())
