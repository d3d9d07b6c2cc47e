"""The form of the files: what is missing, unknown or of another kind, at its line."""

import pytest


def test_an_unknown_key_names_its_line_and_the_known_ones(folder, org_with):
    fault = folder.fault(org=org_with(teams=["{id: x, unit: commerce, head_count: 3}"]))
    assert fault.startswith(
        "org.yaml:5: teams 1, head_count: unknown key (did you mean headcount?); expected one of "
    )
    assert "cost_center" in fault
    assert fault.endswith("do: correct or remove it")


def test_an_unknown_key_below_a_mapping_of_teams(folder, policy_with):
    fault = folder.fault(policy=policy_with("teams:", "  search: {modell: showback}"))
    assert fault.startswith("policy.yaml:5: versions 1, teams, search, modell: unknown key")
    assert "expected one of charge, markup, model" in fault


def test_an_unknown_section(folder, org_with):
    fault = folder.fault(org=org_with(people=["{id: x}"]))
    assert "org.yaml:12: people: unknown key" in fault


def test_a_missing_key_names_the_row(folder, org_with):
    fault = folder.fault(org=org_with(features=["{id: chat}"]))
    assert fault == (
        "org.yaml:9: features 1: team is missing; expected a value for team; do: add team: ..."
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [("text", '"text" stands here; expected a list'), ("{a: b}", "a mapping stands here")],
)
def test_a_list_is_wanted(folder, rows, said, org_with):
    fault = folder.fault(org=org_with() + f"keys: {rows}\n")
    assert fault.startswith(f"org.yaml:12: keys: {said}")


def test_a_row_must_be_a_mapping(folder, org_with):
    fault = folder.fault(org=org_with(keys=["vk-1"]))
    assert fault.startswith('org.yaml:13: keys 1: "vk-1" stands here; expected a mapping')


def test_the_whole_file_must_be_a_mapping(folder):
    fault = folder.fault(policy="- a\n")
    assert fault.startswith("policy.yaml:1: a list stands here; expected a mapping")


def test_a_section_whose_rows_are_commented_out_is_empty(folder, org_with, policy_with):
    books = folder.books(org=org_with() + "rules:\n", policy=policy_with("teams:", "pools:"))
    assert books.org.rules == ()
    assert books.policy.versions[0].pools == ()


def test_a_key_without_a_value_is_refused(folder, policy_with):
    fault = folder.fault(policy=policy_with("variance:"))
    assert fault.startswith("policy.yaml:4: versions 1, variance: nothing stands here")


def test_wrong_fiscal_year_start(folder, org_with):
    fault = folder.fault(
        org=org_with().replace("fiscal_year_start: 2026-01", "fiscal_year_start: 13")
    )
    assert fault.startswith(
        'org.yaml:1: company, fiscal_year_start: "13" is not a month; expected '
    )
    assert fault.endswith("do: write it as YYYY-MM")


def test_unknown_timezone(folder, org_with):
    fault = folder.fault(org=org_with().replace("timezone: UTC", "timezone: Mars/Base"))
    assert fault.startswith('org.yaml:1: company, timezone: "Mars/Base" is not a known time zone')
    assert "do: correct it" in fault


def test_wrong_percent(folder, policy_with):
    fault = folder.fault(policy=policy_with(default="{model: real_cost, markup: 0.15}"))
    assert fault == (
        'policy.yaml:3: versions 1, default, markup: "0.15" is not a percentage; expected a '
        'percentage from "0%" to "100%", such as "15%"; do: write it with a percent sign'
    )


def test_float_noise(folder):
    prices = (
        "contracts:\n"
        "  - contract: MSA\n"
        "    provider: openai\n"
        "    per_million_tokens:\n"
        "      output: 8.40\n"
        "      input_uncached: 0.18000000000000002\n"
    )
    fault = folder.fault(prices=prices)
    assert fault.startswith(
        "prices.yaml:6: contracts 1, per_million_tokens, input_uncached: "
        '"0.18000000000000002" has 17 decimals'
    )
    assert "expected at most 6 decimals; do: copy the figure" in fault


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("evaluation: {funding: matched}", "matched"),
        ("evaluation: {funding: floor}", "floor"),
    ],
)
def test_what_this_version_has_not_is_refused_as_such(folder, policy_with, line, value):
    fault = folder.fault(policy=policy_with(line))
    assert fault.startswith("policy.yaml:4: ")
    assert f'"{value}" is not in this version: ' in fault
