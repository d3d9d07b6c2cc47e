import pytest

from tallybook.books.model import PriceAlias
from tallybook.rate import PriceKey, load_list
from tallybook.rate.resolve import PROVIDER_NAMES, clause_matches, resolve_key, tier_name


def found(provider, model, *aliases):
    resolved = resolve_key(PriceKey(provider, model, "", ""), load_list(), aliases)
    return resolved.model and (resolved.model.provider, resolved.model.id)


def test_only_unstated_and_default_mean_standard():
    assert [tier_name(t) for t in ("", "default", "standard")] == ["standard"] * 3
    assert [tier_name(t) for t in ("auto", "flex", "Standard")] == ["auto", "flex", "Standard"]


def test_every_provider_name_leads_to_a_provider_of_the_list():
    assert set(PROVIDER_NAMES.values()) <= set(load_list().providers)
    assert not set(PROVIDER_NAMES) & set(load_list().providers)


@pytest.mark.parametrize("name", ["aws", "bedrock", "Bedrock", "amazon_bedrock", "amazon"])
def test_a_provider_is_known_by_its_names(name):
    assert found(name, "amazon.nova-lite-v1:0") == ("aws", "amazon.nova-lite-v1:0")


def test_the_exact_id_goes_before_a_clause():
    assert found("openai", "GPT-4.1-mini") == ("openai", "gpt-4.1-mini")


def test_a_reseller_falls_back_and_is_marked():
    resolved = resolve_key(PriceKey("azure", "gpt-4.1", "", ""), load_list(), ())
    assert (resolved.model.provider, resolved.resold) == ("openai", True)


def test_unknown_names_are_not_guessed():
    assert found("openai", "no-such-model") is None
    assert found("nobody", "gpt-4.1") is None


@pytest.mark.parametrize(("provider", "list_id"), [("openai", "openai"), ("nobody", "nobody")])
def test_what_is_not_found_is_nobodys_and_says_why(provider, list_id):
    price_list = load_list()
    resolved = resolve_key(PriceKey(provider, "m", "", ""), price_list, ())
    assert (resolved.model, resolved.resold) == (None, False)
    assert resolved.reason == f"list {price_list.version} has no model 'm' of {provider!r}"
    assert (resolved.providers, resolved.models) == ((list_id,), ("m",))
    assert resolve_key(PriceKey("openai", "gpt-4.1", "", ""), price_list, ()).reason == ""


def test_an_exact_alias_goes_before_a_glob_and_keeps_the_provider_when_none_is_named():
    wide = PriceAlias("openai", "ft:*", "", "gpt-4.1")
    exact = PriceAlias("openai", "ft:a", "", "gpt-4.1-mini")
    assert found("openai", "ft:a", wide, exact) == ("openai", "gpt-4.1-mini")
    assert found("openai", "ft:b", exact, wide) == ("openai", "gpt-4.1")
    assert found("azure", "ft:b", wide) is None


@pytest.mark.parametrize(
    ("clause", "name", "expected"),
    [
        ({"equals": "A"}, "a", True),
        ({"starts_with": "gpt"}, "gpt-4", True),
        ({"ends_with": "mini"}, "gpt-4", False),
        ({"contains": "4"}, "gpt-4", True),
        ({"regex": r"^gpt-\d$"}, "gpt-4", True),
        ({"regex": r"^gpt-\d$"}, "gpt-44", False),
        ({"or": [{"equals": "x"}, {"equals": "y"}]}, "y", True),
        ({"and": [{"contains": "x"}, {"contains": "y"}]}, "y", False),
    ],
)
def test_clauses(clause, name, expected):
    assert clause_matches(clause, name) is expected


def test_a_compact_date_is_read_and_a_number_that_is_no_date_is_left():
    assert found("openai", "gpt-5.2-20251211") == ("openai", "gpt-5.2")
    assert found("openai", "gpt-5.2-20251399") is None
