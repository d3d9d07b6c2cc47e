"""Waiting to be told to end by a signal, whenever it comes."""

import signal
import subprocess
import sys

from tallybook.clock import told_by_signals

STORM = """
import random, signal
from tallybook.clock import told_by_signals
luck = random.Random(1)
for _ in range(4000):
    with told_by_signals() as stop:
        signal.signal(signal.SIGALRM, stop.tell)
        signal.setitimer(signal.ITIMER_REAL, luck.random() / 5000)
        while not stop.wait(0.0001):
            pass
print("told")
"""


def test_a_signal_in_the_middle_of_any_step_ends_the_wait():
    """A `threading.Event` in place of the pipe stands for ever within some hundred of these."""
    done = subprocess.run(
        [sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("told\n", "")


def test_who_was_told_once_was_told_for_good_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with told_by_signals() as stop:
        assert not stop.wait(0)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert [stop.wait(60), stop.wait(60), stop.is_set()] == [True] * 3
        assert stop.told == [signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_thousand_signals_do_not_fill_the_pipe_for_good():
    with told_by_signals() as stop:
        for _ in range(100_000):
            stop.tell(signal.SIGTERM)
        assert stop.wait(0)
