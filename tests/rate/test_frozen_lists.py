"""Published lists are frozen: a change is a new file beside the old one."""

import hashlib
import json

import pytest

from tallybook.errors import PriceError
from tallybook.rate import DEFAULT_LIST, load_list
from tallybook.rate.lists import list_bytes, parse_list
from tallybook.rate.seed import compile_list, main

DIGESTS = {
    "genai-prices-0.2.3": "bf21bb16043c87bfe92d95808eec32bf1a15cc876e59521c479684cf24940db9",
}


@pytest.mark.parametrize("version", sorted(DIGESTS))
def test_a_published_list_never_changes(version):
    assert hashlib.sha256(list_bytes(version)).hexdigest() == DIGESTS[version]


def test_the_default_list_is_pinned():
    assert DEFAULT_LIST in DIGESTS


def test_seeding_again_from_the_pinned_library_gives_the_same_bytes(tmp_path):
    main([str(tmp_path / "list.json")])
    assert (tmp_path / "list.json").read_bytes() == list_bytes("genai-prices-0.2.3")
    assert compile_list() == list_bytes("genai-prices-0.2.3")


def test_a_list_holds_no_float():
    def refuse(text):
        raise AssertionError(f"a float in a price list: {text}")

    json.loads(list_bytes(DEFAULT_LIST), parse_float=refuse)


def test_every_band_chain_covers_every_context_from_zero():
    for provider in load_list().providers.values():
        for model in provider.models:
            for segments in model.tiers.values():
                for cell in (cell for segment in segments for cell in segment.grid):
                    assert cell.prices
                    assert cell.over < cell.upto


def test_an_unknown_version_names_those_that_exist():
    with pytest.raises(PriceError, match=r"(?s)no price list 'nope'.*genai-prices-0\.2\.3"):
        load_list("nope")
    with pytest.raises(PriceError, match="no price list"):
        load_list("../lists/genai-prices-0.2.3")


def test_a_list_in_another_currency_is_refused():
    document = json.loads(list_bytes(DEFAULT_LIST)) | {"currency": "EUR"}
    with pytest.raises(PriceError, match="is in EUR at scale 12"):
        parse_list(document)


def test_what_was_refused_is_on_file_with_its_reason():
    refused = load_list().refused
    assert all(row.reason for row in refused)
    whole = {(row.provider, row.model) for row in refused if not row.meter}
    assert ("perplexity", "sonar-deep-research") in whole
    assert ("openai", "omni-moderation") not in whole
