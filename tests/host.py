"""One host that works on shared books: ``host.py HOME NAME ROUNDS [close]``.

It ingests, seals and runs in every round, beside whoever does the same; half of its events another
host sends too. With ``close`` it closes the month in its second round, and goes on; who comes too
late for that says so on standard output.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from company import Company, usage
from tallybook.errors import PeriodError

EACH = 20
CLOSES_IN = 1


def events(name, rounds):
    """All that one host sends, round by round."""
    return [
        [usage(f"{name}-{n}-{i}" if i % 2 else f"both-{n}-{i}") for i in range(EACH)]
        for n in range(rounds)
    ]


def main(home, name, rounds, close=""):
    company = Company(Path(home))
    for n, sent in enumerate(events(name, int(rounds))):
        company.ingest(*sent, name=f"{name}-{n}")
        try:
            if close and n == CLOSES_IN:
                company.close()
            else:
                company.run()
        except PeriodError as refused:
            sys.stdout.write(f"{refused.what}\n")
    company.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
