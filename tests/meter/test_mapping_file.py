"""A mapping file is right as a whole, or refused as a whole with the line of every fault."""

import pytest

from tallybook.errors import EventError
from tallybook.meter import read_mapping

FLAT = b"""\
source: s
id: {paths: [id]}
fields: {started_at: at}
constants: {provider: p, model: m}
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("colour: red", 'm.yaml:5: colour: "colour" is not known'),
        ("tokens: {prompt: a}", 'tokens, prompt: "prompt" is not known'),
        ("tokens: {output: {form: a}}", 'm.yaml:5: tokens, output, form: "form" is not known'),
        ("tokens: {output: {from: a, minus: b}}", "expected a list of paths"),
        ("tokens: {output: {from: a, default: -1}}", "-1 is not a count"),
        ("tokens: 7", "7 stands here"),
        ("zone: Mars/Base", '"Mars/Base" is no zone'),
        ("formats: {started_at: iso}", '"iso" is no format'),
        ("formats: {started_at: '%Y-%m-%d'}", "is no format"),
        ("records: ''", "expected text"),
        ("labels: {a: {from: b, map: 7}}", "7 stands here"),
        ("source: t", "stands twice"),
    ],
)
def test_a_wrong_mapping_is_refused_whole_with_its_line(line, words):
    with pytest.raises(EventError) as refused:
        read_mapping(FLAT + line.encode(), "m.yaml", "json")
    assert words in str(refused.value)
    assert "nothing imported" in str(refused.value)
    assert "m.yaml:" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"model: m", b"status: fine, model: m", 'status is "fine"'),
        (b"model: m", b"tokens: {output: -1}, model: m", "tokens.output is -1"),
        (b", model: m", b"", "model is missing"),
        (b"source: s\n", b"", "source is missing"),
        (b"id: {paths: [id]}\n", b"", "id is missing"),
        (b"{paths: [id]}", b"{columns: [id]}", "the rule of the id is not known"),
        (b"provider: p,", b"provider: p, event_id: x,", '"event_id" is not known'),
        (b"{started_at: at}", b"{started_at: at, model: b}", "it stands under fields too"),
        (b"{started_at: at}", b"{started_at: at, reported_cost.amount: b}", "half given"),
        (b"source: s", b"- source", "m.yaml:"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(old, new, words):
    with pytest.raises(EventError) as refused:
        read_mapping(FLAT.replace(old, new), "m.yaml", "json")
    assert words in str(refused.value)
