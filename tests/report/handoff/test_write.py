"""Files are there whole or not at all."""

import pytest

from tallybook.errors import HandoffError
from tallybook.report.handoff.write import whole_file, write_all


def test_files_are_written_together(tmp_path):
    assert write_all(tmp_path / "new", {"a": b"1", "b": b"2"}) == [
        tmp_path / "new" / "a", tmp_path / "new" / "b",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


def test_when_one_cannot_be_written_none_is_there(tmp_path):
    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(OSError, match="nowhere"):
        write_all(tmp_path, {"a": b"after", "nowhere/b": b"2"})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_a_stream_that_breaks_leaves_the_file_of_before(tmp_path):
    path = tmp_path / "f"
    with whole_file(path) as file:
        file.write(b"one")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"two", "no bytes"])
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("f", b"one")]


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(HandoffError, match="out is a folder, and a file is to be written"):
        write_all(tmp_path, {"out": b"1"})
    with pytest.raises(HandoffError, match="name the file in it"), whole_file(tmp_path / "out"):
        raise AssertionError("nothing is written")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
