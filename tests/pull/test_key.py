"""A key is seen by nobody."""

import pickle
import traceback

import pytest

from tallybook.errors import PullError
from tallybook.pull.key import Key, key_from


def test_it_hides_wherever_it_is_printed():
    key = Key(" sk-1 \n", "a file")
    assert key.reveal() == "sk-1"
    assert "sk-1" not in f"{key} {key!r} {[key]} {vars(type(key))}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_it_and_its_parts_are_hidden_in_texts():
    assert Key("pk-1:sk-2", "x").hidden_in("pk-1 and sk-2, pk-1:sk-2") == "[key] and [key], [key]"


def test_it_comes_from_a_file_or_the_environment(tmp_path):
    path = tmp_path / "key"
    path.write_text("sk-file\n")
    assert key_from(("A",), path, {}).reveal() == "sk-file"
    assert key_from(("A", "B"), None, {"A": "pk", "B": "sk"}).reveal() == "pk:sk"


def test_the_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("TALLYBOOK_TEST_KEY", "sk-env")
    assert key_from(("TALLYBOOK_TEST_KEY",), None).reveal() == "sk-env"


def test_what_is_no_key_is_told_without_it(tmp_path):
    for name, held in (("empty", b" \n"), ("lines", b"sk-1\nX-Evil: 1"), ("bytes", b"\xff sk-1")):
        path = tmp_path / name
        path.write_bytes(held)
        with pytest.raises(PullError) as refused:
            key_from(("A",), path, {})
        shown = "".join(traceback.format_exception(refused.value))
        assert "sk-1" not in shown
    with pytest.raises(PullError, match="the key cannot be read"):
        key_from(("A",), tmp_path / "absent", {})
    with pytest.raises(PullError, match="A and B not set"):
        key_from(("A", "B"), None, {})


def test_a_key_that_is_half_a_pair_hides_itself_and_nothing_else():
    assert Key("pk-lf:", "x").hidden_in("refused: pk-lf") == "refused: [key]"
