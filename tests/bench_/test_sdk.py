"""The figures of the hook can be taken."""

from bench.sdk import figures


def test_the_hook_is_measured():
    call, stream, event = figures(calls=20, rounds=1)
    assert (call.unit, stream.unit, event.unit) == ("ms", "ms", "ms")
    assert stream.value > event.value
