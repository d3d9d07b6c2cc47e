"""The measure of importers reads what it made up, all of it."""

from contextlib import ExitStack

from bench.importers import litellm, write_rows


def test_every_made_up_row_comes_in(tmp_path):
    write_rows(tmp_path / "litellm.jsonl", 300)
    with ExitStack() as stack:
        act = litellm(tmp_path, stack, 0)
        assert act() == {"accepted": 300, "rejected": 0}
        again = litellm(tmp_path, stack, 1)
        assert again() == {"accepted": 300, "rejected": 0}
