import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.faults import Sheet
from tallybook.books.source import BYTES_MAX, read_source


def read(text):
    sheet = Sheet("org.yaml")
    raw = text if isinstance(text, bytes) else text.encode()
    return read_source(raw, sheet), sheet.faults


def data(text):
    source, faults = read(text)
    assert faults == []
    return source.data


def refused(text):
    source, faults = read(text)
    assert source is None
    return faults


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("4200.10", "4200.10"),
        ("0.18000000000000002", "0.18000000000000002"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2026-10-01", "2026-10-01"),
        ("2026-10-01T10:00:00Z", "2026-10-01T10:00:00Z"),
        ("2026-10", "2026-10"),
        ("0471", "0471"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("10:30", "10:30"),
        ("+5", "+5"),
        ("yes", "yes"),
        ("no", "no"),
        ("off", "off"),
        ('"14"', "14"),
        ("14", 14),
        ("-3", -3),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("=", "="),
        ("15%", "15%"),
    ],
)
def test_scalar_keeps_what_was_written(written, kept):
    value = data(f"key: {written}\n")["key"]
    assert value == kept
    assert type(value) is type(kept)


def test_keys_are_always_text():
    assert data("2026: a\nno: b\n1.50: c\n") == {"2026": "a", "no": "b", "1.50": "c"}


def test_core_tags_are_allowed_and_foreign_ones_refused():
    assert data("key: !!str 14\n") == {"key": "14"}
    (fault,) = refused("a: 1\nkey: !!python/object:os.system x\n")
    assert fault.startswith("org.yaml:2: tag tag:yaml.org,2002:python/object:os.system")
    (fault,) = refused("key: !!binary aGk=\n")
    assert "do: remove the tag" in fault


def test_lines_name_keys_and_rows():
    source, _ = read("a: 1\nrows:\n  - {id: x,\n     to: 3}\n  - id: y\n")
    assert source.lines[("a",)] == 1
    assert source.lines[("rows",)] == 2
    assert source.lines[("rows", 0)] == 3
    assert source.lines[("rows", 0, "to")] == 4
    assert source.lines[("rows", 1, "id")] == 5


def test_duplicate_keys_are_refused_with_both_lines():
    faults = refused("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n")
    remedy = "; expected each key once; do: remove one of the two"
    assert faults == [
        f"org.yaml:3: key 'a' stands twice, first on line 1{remedy}",
        f"org.yaml:4: key 'd' stands twice, first on line 4{remedy}",
    ]


def test_anchors_and_aliases_are_refused():
    faults = refused("a: &x {b: 1}\nc: *x\n")
    assert [fault.split(";")[0] for fault in faults] == [
        "org.yaml:1: anchor &x",
        "org.yaml:2: alias *x",
    ]


def test_an_alias_bomb_is_not_expanded():
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))
    assert len(refused(f"a0: &a0 [x]\n{levels}\n")) > 29


def test_a_star_that_was_meant_as_text_gets_told_to_be_quoted():
    (fault,) = refused("when: {endpoint: *chat}\n")
    assert fault.startswith("org.yaml:1: alias *chat; expected no aliases; do: ")
    assert "quote a value that begins with *" in fault


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a: 1\n\tb: 2\n", "a:\n  - b: 1\n\t  c: 2\n"])
def test_a_tab_is_refused_by_name(text):
    (fault,) = refused(text)
    assert "a tab where YAML wants spaces; expected YAML; do: indent with spaces" in fault
    line = next(i for i, row in enumerate(text.split("\n"), 1) if "\t" in row)
    assert fault.startswith(f"org.yaml:{line}: ")


def test_a_syntax_error_names_its_line():
    (fault,) = refused("a: 1\nb: [1, 2\nc: 3\n")
    assert fault.startswith("org.yaml:3: not YAML: ")
    assert "; do: correct the line, or the one above it" in fault


def test_two_documents_are_refused():
    (fault,) = refused("a: 1\n---\nb: 2\n")
    assert "remove the --- line" in fault


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_refused(text):
    (fault,) = refused(text)
    assert fault.startswith("org.yaml:1: the file is empty; expected ")


def test_bytes_that_are_no_text_are_refused_at_their_line():
    (fault,) = refused(b"a: 1\nb: \xff\n")
    assert fault.startswith("org.yaml:2: byte 0xff is not UTF-8")


def test_control_characters_are_refused_at_their_line():
    (fault,) = refused("a: 1\nb: x\x00y\n")
    assert fault.startswith("org.yaml:2: character ")


def test_a_byte_order_mark_does_not_count():
    assert data(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_depth_and_size_have_limits():
    (fault,) = refused("a: " + "[" * 5000)
    assert "nested more than 20 deep" in fault
    (fault,) = refused(b"#" * (BYTES_MAX + 1))
    assert f"the file has {BYTES_MAX + 1} bytes" in fault


def test_a_key_that_is_no_text_is_refused():
    (fault,) = refused("? [a, b]\n: 1\n")
    assert "a key that is a list or a mapping" in fault


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_line(text):
    source, faults = read(text.encode("utf-8", "surrogatepass"))
    assert (source is None) == bool(faults)
    assert all(fault.startswith("org.yaml:") for fault in faults)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9).map(lambda d: f"{d:f}"))
def test_a_decimal_keeps_every_figure(text):
    assert str(data(f"key: {text}\n")["key"]) == text
