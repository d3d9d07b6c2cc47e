"""Run one command on books and die by SIGKILL at a fault point: ``crash.py HOME VERB POINT``."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from company import PRICES, Company, org, policy, usage
from tallybook.store import faults

EVENTS = (
    usage("1"),
    usage("2", provider="Y", model="y-1", service="retrieval", customer="c-1"),
    usage("3", started_at="2026-11-02T00:00:00Z"),
    usage("4", tokens={"output": 5}, supersedes="1"),
)
CONFLICT = usage("2", provider="Y", model="y-1", tokens={"output": 1})
VERBS = {
    "apply": lambda c: c.apply(org=org(), policy=policy(), prices=PRICES),
    "ingest": lambda c: c.ingest(*EVENTS, CONFLICT),
    "run": lambda c: c.run(),
    "close": lambda c: c.close(),
}


def lived_until(company, verb):
    """Do every command before ``verb``."""
    for name, command in VERBS.items():
        if name == verb:
            return
        command(company)


def main(home, verb, point):
    def die(reached):
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.reached = die
    VERBS[verb](Company(Path(home)))


if __name__ == "__main__":
    main(*sys.argv[1:])
