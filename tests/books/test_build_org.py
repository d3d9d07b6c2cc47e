import pytest

from tallybook.books.model import FOREVER_US, Span

OCT_15 = 1792022400000000


def test_rows_become_the_org(folder, org_with):
    org = folder.books(
        org=org_with(
            services=["{id: retrieval, team: search, transfer: caller_pays}"],
            keys=["{id: sk-1/x, feature: refund-bot, purpose: production}"],
            rules=["{when: {endpoint: /chat, labels.prompt: refund-*}, feature: refund-bot}"],
        )
    ).org
    assert org.company.currency == "USD"
    assert org.company.fiscal_year_start == "2026-01"
    support = org.teams[0]
    assert (support.id, support.name, support.cost_center) == ("support", "support", "4711")
    assert support.headcount == 14
    assert org.teams[1].headcount is None
    assert org.features[0].name == "Refund bot"
    assert org.features[1].name == "site-search"
    assert org.services[0].transfer == "caller_pays"
    assert (org.keys[0].team, org.keys[0].feature) == ("", "refund-bot")
    assert org.rules[0].number == 1
    assert org.rules[0].when == (("endpoint", "/chat"), ("labels.prompt", "refund-*"))
    assert org.unowned_team == "platform"
    assert support.span == Span(0, FOREVER_US)


def test_dates_are_days_of_the_company_zone(folder, org_with):
    org = org_with(keys=["{id: k, team: support, from: 2026-10-01, to: 2026-11-01}"])
    berlin = org.replace("timezone: UTC", "timezone: Europe/Berlin")
    span = folder.books(org=berlin).org.keys[0].span
    # 1 October is summer time (+2 hours), 1 November is not (+1).
    assert span == Span(1790805600000000, 1793487600000000)


def test_owners_are_in_the_order_of_their_roles(folder, org_with):
    row = "{id: x, unit: commerce, owners: {product: p@x.example, finance: f@x.example}}"
    owners = folder.books(org=org_with(teams=[row])).org.teams[0].owners
    assert list(owners.items()) == [("finance", "f@x.example"), ("product", "p@x.example")]
    with pytest.raises(TypeError):
        owners["finance"] = "x"


def test_an_unknown_role_is_refused(folder, org_with):
    fault = folder.fault(org=org_with(teams=["{id: x, unit: commerce, owners: {ceo: a}}"]))
    assert fault.startswith("org.yaml:5: teams 1, owners, ceo: unknown key")
    assert "engineering" in fault


def test_a_feature_moves_to_another_team_mid_month(folder, org_with):
    rows = [
        "{id: writer, team: search, to: 2026-10-15}",
        "{id: writer, team: support, from: 2026-10-15}",
    ]
    first, second = folder.books(org=org_with(features=rows)).org.features[:2]
    assert first.span == Span(0, OCT_15)
    assert second.span == Span(OCT_15, FOREVER_US)
    assert not first.span.overlaps(second.span)


@pytest.mark.parametrize(
    ("section", "row"),
    [
        ("teams", "{id: x, unit: commerce"),
        ("features", "{id: x, team: search"),
        ("services", "{id: x, team: search"),
        ("keys", "{id: x, team: search"),
    ],
)
def test_rows_of_one_id_must_not_overlap(folder, org_with, section, row):
    rows = [f"{row}, to: 2026-10-16}}", f"{row}, from: 2026-10-15}}"]
    org = org_with(**{section: rows})
    line = org[: org.index("from: 2026-10-15")].count("\n") + 1
    fault = folder.fault(org=org)
    assert fault.startswith(
        f'org.yaml:{line}: {section} 2: {section[:-1]} "x" from 2026-10-15 on overlaps the row at '
        f"line {line - 1} (from the beginning to 2026-10-16)"
    )
    assert "do: end the earlier row with to:" in fault


def test_reversed_dates_are_refused_at_their_line(folder, org_with):
    rows = ["{id: k,\n     team: search, from: 2026-10-15,\n     to: 2026-10-15}"]
    fault = folder.fault(org=org_with(keys=rows))
    assert fault.startswith("org.yaml:15: keys 1, to: from 2026-10-15 is not before to 2026-10-15")
    assert "do: swap or correct the dates" in fault


@pytest.mark.parametrize(
    ("section", "row", "noun"),
    [
        ("teams", "{id: x, unit: comerce}", "business unit"),
        ("features", "{id: x, team: suport}", "team"),
        ("services", "{id: x, team: suport}", "team"),
        ("keys", "{id: x, team: suport}", "team"),
        ("keys", "{id: x, feature: refundbot}", "feature"),
        ("rules", "{when: {plan: pro}, team: suport}", "team"),
        ("rules", "{when: {plan: pro}, feature: refundbot}", "feature"),
    ],
)
def test_unknown_references_name_what_was_meant(folder, org_with, section, row, noun):
    org = org_with(**{section: [row]})
    line = org[: org.index(row)].count("\n") + 1
    fault = folder.fault(org=org)
    assert fault.startswith(f"org.yaml:{line}: {section} 1, ")
    assert f"unknown {noun} " in fault
    assert "(did you mean " in fault
    assert "; expected one of " in fault
    assert f"do: correct the name or add the {noun}" in fault


def test_unknown_unowned_team(folder, org_with):
    fault = folder.fault(org=org_with().replace("team: platform}", "team: plat}"))
    assert fault.startswith(
        'org.yaml:11: unowned, team: unknown team "plat" (did you mean platform?)'
    )


def test_the_unowned_team_must_not_end_but_may_begin(folder, org_with):
    row = "{id: platform, unit: commerce"
    fault = folder.fault(org=org_with().replace(row, row + ", to: 2027-01-01"))
    assert 'org.yaml:11: unowned, team: team "platform" ends (from the beginning to' in fault
    books = folder.books(org=org_with().replace(row, row + ", from: 2026-01-01"))
    assert books.org.unowned_team == "platform"


def test_a_reference_must_exist_over_the_whole_row(folder, org_with):
    org = org_with(
        teams=["{id: labs, unit: commerce, from: 2026-03-01, to: 2026-09-01}"],
        features=["{id: probe, team: labs, from: 2026-03-01}"],
    )
    fault = folder.fault(org=org)
    assert fault.startswith(
        'org.yaml:10: features 1, team: team "labs" does not exist over the whole row (from '
        "2026-03-01 on): it exists from 2026-03-01 to 2026-09-01; expected a team that exists"
    )
    fault = folder.fault(
        org=org.replace("team: labs, from: 2026-03-01", "team: labs, to: 2026-09-01")
    )
    assert "does not exist over the whole row (from the beginning to 2026-09-01)" in fault


def test_rows_of_one_id_that_follow_each_other_make_one_existence(folder, org_with):
    org = org_with(
        teams=[
            "{id: labs, unit: commerce, cost_center: b, from: 2026-06-01}",
            "{id: labs, unit: commerce, cost_center: a, to: 2026-06-01}",
        ],
        features=["{id: probe, team: labs}"],
    )
    assert len(folder.books(org=org).org.teams) == 5
    fault = folder.fault(org=org.replace("to: 2026-06-01", "to: 2026-05-31"))
    assert "does not exist over the whole row (always)" in fault


@pytest.mark.parametrize("section", ["keys", "rules"])
def test_a_team_beside_a_feature_must_own_it_all_the_time(folder, org_with, section):
    head = "id: k" if section == "keys" else "when: {plan: pro}"
    features = [
        "{id: writer, team: search, to: 2026-10-15}",
        "{id: writer, team: support, from: 2026-10-15}",
    ]
    rows = [f"{{{head}, team: search, feature: writer}}"]
    fault = folder.fault(org=org_with(features=features, **{section: rows}))
    assert (
        f'{section} 1, team: team "search" does not own feature "writer", which belongs to '
        '"support" from 2026-10-15 on' in fault
    )
    rows = [f"{{{head}, team: search, feature: writer, to: 2026-10-15}}"]
    folder.books(org=org_with(features=features, **{section: rows}))


@pytest.mark.parametrize("row", ["keys", "rules"])
def test_a_row_that_says_nothing_is_refused(folder, org_with, row):
    head = "{id: k}" if row == "keys" else "{when: {plan: pro}}"
    fault = folder.fault(org=org_with(**{row: [head]}))
    assert "names no team, feature or purpose" in fault


def test_business_units_stand_once(folder, org_with):
    fault = folder.fault(org=org_with(business_units=["{id: commerce}"]))
    assert fault.startswith(
        'org.yaml:4: business_units 2: business unit "commerce" stands twice, first at line 3'
    )


@pytest.mark.parametrize("field", ["customer", "user"])
def test_rules_do_not_look_at_people(folder, org_with, field):
    fault = folder.fault(org=org_with(rules=[f"{{when: {{{field}: x}}, team: search}}"]))
    assert fault.startswith(f"org.yaml:13: rules 1, when, {field}: a rule cannot look at {field}")
    assert "replaced by a subject id" in fault


@pytest.mark.parametrize("field", ["team_name", "labels.", "labels", "session", "Endpoint"])
def test_rules_look_at_known_fields(folder, org_with, field):
    fault = folder.fault(org=org_with(rules=[f"{{when: {{{field}: x}}, team: search}}"]))
    assert f"rules 1, when, {field}: unknown field" in fault
    assert "labels.<key>" in fault


def test_shorthands_are_labels(folder, org_with):
    rows = ["{when: {workspace: w*, project: p, model: 'gpt-?'}, team: search}"]
    (rule,) = folder.books(org=org_with(rules=rows)).org.rules
    assert rule.when == (("labels.project", "p"), ("labels.workspace", "w*"), ("model", "gpt-?"))
    rows = ["{when: {project: p, labels.project: q}, team: search}"]
    assert "short for labels.project, and both" in folder.fault(org=org_with(rules=rows))


def test_a_rule_names_a_field_and_a_known_purpose(folder, org_with):
    assert "matches every call" in folder.fault(org=org_with(rules=["{when: {}, team: search}"]))
    rows = ["{when: {purpose: prod}, team: search}"]
    assert 'unknown purpose "prod" (did you mean production?)' in folder.fault(
        org=org_with(rules=rows)
    )
    folder.books(org=org_with(rules=["{when: {purpose: pro*}, team: search}"]))
    fault = folder.fault(org=org_with(keys=["{id: k, purpose: prod}"]))
    assert 'keys 1, purpose: "prod" is not known (did you mean production?)' in fault
