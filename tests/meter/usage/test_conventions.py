"""The table: names of tiers, units and request ids that the rest of the house knows."""

from __future__ import annotations

import pytest

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.meter.usage import conventions
from tallybook.meter.usage.convention import Convention
from tallybook.meter.usage.conventions import UNITS, request_id_names, tier_of
from tallybook.rate.seed_meters import METERS

TABLE = [each for each in vars(conventions).values() if isinstance(each, Convention)]


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ("default", "standard"),
        ("standard", "standard"),
        ("ON_DEMAND", "standard"),
        ("ON_DEMAND_FLEX", "flex"),
        ("PROVISIONED_THROUGHPUT", "provisioned"),
        ("priority", "priority"),
        ("batch", "batch"),
        ("auto", ""),
        (None, ""),
        (3, ""),
    ],
)
def test_one_name_for_a_tier(told, tier):
    assert tier_of(told) == tier


def test_units_of_the_price_list_have_its_names():
    listed = {meter for meter, _ in METERS.values()}
    assert {"web_search", "file_search", "page", "code_execution", "rerank_search"} <= listed
    assert {"web_search", "file_search", "page", "rerank_search"} <= set(UNITS.values())


def test_the_providers_own_header_comes_first():
    assert request_id_names("azure")[0] == "apim-request-id"
    assert request_id_names("anthropic")[0] == "request-id"
    assert request_id_names("somebody")[0] == "x-request-id"


@pytest.mark.parametrize("how", TABLE, ids=lambda how: how.name)
def test_each_convention_counts_an_input_and_writes_known_classes(how):
    assert how.input
    assert {name for name, _ in how.writes} <= set(TOKEN_CLASSES)
    assert how.thought == "inside" or how.reasoning or how.total


def test_names_of_conventions_are_their_own():
    names = [how.name for how in TABLE]
    assert len(names) == len(set(names))
