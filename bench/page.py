"""The page ``docs/benchmarks.md``: what was measured, and what it means."""

from __future__ import annotations

from collections.abc import Mapping

from bench.figures import as_rows
from bench.record import Section


def as_markdown(sections: Mapping[str, Section]) -> str:
    """The whole page; a section that was never measured is left out."""
    parts = [_HEAD]
    for name, (title, said) in _TEXTS.items():
        if name in sections:
            held = sections[name]
            parts.append(f"{title}{held.conditions}\n\n{as_rows(held.figures)}\n\n{said}")
    for name in sorted(sections.keys() - _TEXTS.keys()):
        held = sections[name]
        parts.append(f"## {name.capitalize()}\n\n{held.conditions}\n\n{as_rows(held.figures)}\n")
    return "\n".join(parts)


_HEAD = """# Benchmarks

`make bench` measures these figures; this page is what it wrote. Machines differ, so what has a
target is a ratio of two figures of one run where it can be. Each step runs in a process of its own;
CPU seconds are those of all its threads, without start and imports.
"""

_MONTH = """**Bare** is the least that the job can cost: one scan of the same sealed files with the
same engine and threads, a join to one price layer by provider, model, tier, region, date and
context, one sum, grouped by team, feature, model and day, materialised. Its total equals
Tallybook's contract layer to the last pico-unit, or the benchmark stops.

The company is made up: 200 teams, 2,000 features, 60 models of 6 providers in 3 tiers, three prices
for each within the month, cached tokens, a unit on one call in twenty, keys, services, one call in
fifty without tags, a feature that moves in mid-month, a rule that begins within it.
"""

_FORECAST = """A forecast of a budget promises that eight times in ten the end of the month, and the
instant at which nothing is left, lie within its interval. Recordings of demand over months are not
at hand, so time is scaled: of 73 tenants of one model, an hour of their day is a day of a month; of
two services, a minute of their hour is one. A day that was recorded once has no rhythm that
returns: no past hour tells the evening, and the interval holds about half as often as it says.
Where the past is like what comes (the same hours in a drawn order) it holds as it says. A forecast
does not know of a launch, a holiday or an evening that it never saw.
"""

_AGAIN = """The second run follows 10,000 new events. It reads these alone and adds them to the last
cost sheet ([decisions](decisions.md)). What is left grows with the lines of the month and not with
its events: allocation, the comparison with what is booked, and the postings that moved.
"""

_BESIDE = """The job of **bare**, on the same files: price by a join, group by team, feature, model
and day. Polars multiplies whole pico with its streaming engine. The notebook reads file by file and
prices in floats; what its total is off by is not much money, but it is another figure on another
machine, and nothing can be tied to it. Neither finds an owner, keeps three price layers or posts
anything.
"""

_CHAIN = """An entry is a link of the chain with two postings, some 1,100 bytes that are hashed.
Verifying recomputes each hash over every field, each sum, each order and each balance. SQLite
writes the canonical text, 500 links at a time; Python hashes it and compares. Where a text has
another hash, or anything else is strange, the link is looked at by itself and the fault is named.
`tallybook verify` shares a long chain out among all cores, in stretches of 2,500 links, and
compares them where they meet; starting the processes is in the figure. Waiting says nothing where
the load is far above the number of cores: then read the figures by CPU time.

Where the time of one core goes: some six tenths into reading and spelling rows in SQLite, three
into comparing and hashing in Python (SHA-256 itself is a tenth), less than one into summing both
sides of all balances. One core alone does not reach the target: SQLite needs most of 5 us for each
entry to hand its three rows over in any form.
"""

_CLAIMS = """`python -m bench --claims 100000000` fills a claim table in eight rounds, each in the
order of the tree but spread over all of it, so that pages split as they do in a long life. **New**
ids are claimed in batches of 50,000, each in a transaction with fsync; **known** ids are the same
batches ingested again. **In memory** means that the system held the file's pages, **on disk** that
it was made to forget them before each batch.

**What happens at a billion** (reasoned, not measured). An id costs the same bytes, so the table has
some 44 GB. Already at 100 million a batch of 50,000 touches a page of its own for
nearly every id, so neither the log nor the pages written grow: about 4 KiB for each new id into the
log and 4 KiB into the file. The tree gets one level deeper at most, and inner pages are some
hundredth of it and stay in memory. What changes is whether the leaves do. While the file fits into
memory, the figures of "in memory" hold. When it does not, every id, new or known, waits for one
random read: that is "on disk" above, and it is the disk and not the processor that sets the pace.
Ids that begin with time would not help, as claims are digests; what helps is memory for the file, a
disk with many reads at once, or PostgreSQL with the table cut by the first byte of the key.
"""

_HUNDRED = """Ten times the events are the same files, each linked ten times, so that they take no
disk. Run once.
"""

_RECONCILE = """Bare is the scan of the first table. Reconciling scans the same events with all
their classes at contract, reads the lines of the invoices from the book, matches them and names
what is off; one cell in fifty was billed a millionth more. The lines are hours of a day, as a cost
and usage report has them.
"""

_INGEST = """CPU time for each event, so that waiting for a busy machine does not count; but two
busy threads of one core take more of it each. **Load** is how many processes wanted a core: the
fewer, the better the figure.
"""

_STORES = """The same events, the same code, one store after the other; the server is on the same
machine and syncs each commit, as the file does. A server costs messages, its own work on the same
rows, and its log; what it gives is a second host.
"""

_GRAPH = """**Flat** is the same month run as if no call named a parent: each call is charged to
whom it names itself. Over the traces every call and step is read, its parent found, and what its
path comes to decided. Three of four rows are calls, one trace in sixteen is a chain of 64 levels,
and three services of five have a rule between teams. A run over traces also posts a quarter more,
so not all of the difference is the walk.

**One trace** goes through the commands, each in a process of its own: half of its calls are one
chain, the others hang under it. Every call is in each answer once, or the measure stops.
"""

_GATEWAY = """Load comes from wrk: 32 connections, a 1.7 kB answer, the headers of OpenAI's client.
CPU time is that of the proxy's processes alone. nginx passes bytes on and reads none of them. The
gateway looks up the key, finds the owner, reads the usage, and puts an intent and an event on the
disk for each call.

What came in one turn of the loop is handled together: one write holds the events of all its calls.
Both cores are busy with the load and the provider too, so two processes gain less than they would
on more cores. Portkey is warmed with the same load first; in the short run only for seconds.
"""

_TEXTS = {
    "stores": ("## A file and a server\n\n", _STORES),
    "month": ("## A month\n\n", _MONTH),
    "again": ("## A second run\n\n", _AGAIN),
    "forecast": ("## Forecasts of budgets\n\n", _FORECAST),
    "beside": ("## Beside other tools\n\n", _BESIDE),
    "gateway": ("## The gateway beside nginx\n\n", _GATEWAY),
    "chain": ("## The chain\n\n", _CHAIN),
    "claims": ("## Ids that never expire\n\n", _CLAIMS),
    "reconcile": ("## A month against its invoices\n\n", _RECONCILE),
    "importers": ("## Logs of products\n\n", _INGEST),
    "graph": ("## Traces\n\n", _GRAPH),
    "otlp": ("## Spans\n\n", ""),
    "usage": ("## Responses\n\n", ""),
    "hundred": ("## A hundred million events\n\n", _HUNDRED),
}
