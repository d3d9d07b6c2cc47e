"""Whom we believe first."""

from __future__ import annotations

import pytest

from tallybook.meter.resolve.rank import STANDPOINTS, is_known, rank, standpoint_of
from tallybook.meter.sources.registry import PRODUCTS


def test_the_nearer_to_the_provider_the_sooner_believed():
    order = sorted(("otel", "sdk", "litellm", "bedrock-log"), key=rank)
    assert order == ["bedrock-log", "litellm", "sdk", "otel"]
    assert STANDPOINTS == ("provider", "gateway", "sdk", "trace")


def test_a_log_that_we_do_not_know_stands_on_the_way():
    assert standpoint_of("our-own-log") == "gateway"
    assert not is_known("our-own-log")


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_stands_somewhere(product):
    assert is_known(product)
