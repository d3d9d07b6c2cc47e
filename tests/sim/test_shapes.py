from pathlib import Path

from tallybook.books.documents import parse, read_folder
from tallybook.clock import parse_instant
from tallybook.rate.book import PriceBook
from tallybook.rate.compile import compile_prices
from tallybook.rate.lists import load_list
from tallybook.rate.model import PriceKey
from tallybook.sim.company import SEPTEMBER, decided, first_files
from tallybook.sim.shapes import BATCH_FROM, SHAPES
from tallybook.sim.traffic import TODAY

START = parse_instant("2026-08-01T00:00:00Z")
END = parse_instant(TODAY)


def books(folder: Path):
    for name, text in decided(first_files(), SEPTEMBER).items():
        (folder / name).write_text(text, encoding="utf-8")
    return parse(read_folder(folder))


def test_shapes_have_one_name_each_and_many_providers() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)
    assert len({shape.provider for shape in SHAPES}) >= 6


def test_what_calls_carry_is_known_to_the_org_chart_but_for_the_untagged(tmp_path: Path) -> None:
    org = books(tmp_path).org
    known = {
        "feature": {row.id for row in org.features},
        "service": {row.id for row in org.services},
        "team": {row.id for row in org.teams},
        "key_id": {row.id for row in org.keys},
    }
    strange = {
        shape.name
        for shape in SHAPES
        for field, names in known.items()
        if shape.tags.get(field, "") not in names | {""}
    }
    assert strange == {"untagged", "voice-pilot"}


def test_every_feature_has_calls(tmp_path: Path) -> None:
    org = books(tmp_path).org
    by_key = {key.id: key.feature for key in org.keys}
    used = {
        shape.tags.get("feature") or by_key.get(shape.tags.get("key_id", "")) for shape in SHAPES
    }
    used |= {rule.feature for rule in org.rules}
    assert {row.id for row in org.features} <= used


def test_nothing_is_unpriced_by_accident(tmp_path: Path) -> None:
    book = PriceBook(load_list(), books(tmp_path).prices, "USD")
    keys = {PriceKey(s.provider, s.model, "", "") for s in SHAPES}
    _, unpriced = compile_prices(keys, [book], "contract", START, END)
    assert {found.key.model for found in unpriced} == {"northwind-nav-lora"}
    batch = {PriceKey(s.provider, s.model, "batch", "") for s in SHAPES if s.batch_from}
    assert batch
    _, unpriced = compile_prices(batch, [book], "contract", parse_instant(BATCH_FROM), END)
    assert unpriced == []
