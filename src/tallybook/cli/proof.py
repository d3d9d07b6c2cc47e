"""`check`, `verify` and `bench`: the proof and the pace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from tallybook.check.check import CHECKS
from tallybook.check.check import check as run_checks
from tallybook.check.kept import kept_faults
from tallybook.check.seal_record import read_record
from tallybook.check.sealing import differences
from tallybook.cli.app import App, progress, table
from tallybook.cli.options import json_option
from tallybook.errors import WrongUsageError
from tallybook.ledger.verify import verify as verify_chain


@click.command()
@click.argument("names", nargs=-1)
@json_option
@click.pass_context
def check(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Prove the invariants on these books; NAMES such as INV-01 choose some. Exit 1 if one fails.

    Examples:  tallybook check
    tallybook check INV-10 INV-12 --json
    """
    app: App = ctx.obj
    with progress("check", len(names or CHECKS)) as advance:
        findings = run_checks(app.store, names, advance)
    values = [
        {"name": f.name, "ok": f.ok, "examined": f.examined, "detail": f.detail} for f in findings
    ]
    rows = [["ok" if f.ok else "FAILS", f.name, str(f.examined), f.detail] for f in findings]
    app.answer({"checks": values}, table(("", "invariant", "examined", "detail"), rows, right=(2,)))
    ctx.exit(0 if all(f.ok for f in findings) else 1)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def bench(ctx: click.Context, args: tuple[str, ...]) -> None:
    """Measure speed and memory as ratios in one run; works in a checkout, where bench/ is.

    Examples:  tallybook bench --quick
    tallybook bench --rows 1000000 --repeat 1
    """
    if not Path("bench/__main__.py").is_file():
        raise WrongUsageError(
            "there is no bench/ here", next_step="run it in a checkout of Tallybook, or: make bench"
        )
    command = [sys.executable, "-m", "bench", *args]
    ctx.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own module


@click.command()
@click.option(
    "--head", default="", help="A seal printed on a statement: proves that nothing was cut."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A record that `tallybook seal` wrote: says where these books differ from it.",
)
@json_option
@click.pass_context
def verify(ctx: click.Context, head: str, against: Path | None) -> None:
    """Verify the chain, the manifest, the sealed files and what was issued: tampering shows.

    A flip, an insert, a delete or a swap is found and named with its place. What was cut off at
    the end shows only against a seal that was printed (--head) or a record that was kept elsewhere
    (--against).

    Examples:  tallybook verify --head 8879ac4598f4...
    tallybook verify --against seal.json
    """
    app: App = ctx.obj
    record = read_record(_content(against), str(against)) if against else None
    with app.store.read() as tx:
        result = verify_chain(tx, head, home=app.store.home, processes=os.cpu_count() or 1)
        found = [*result.faults, *kept_faults(app.store, tx)]
        faults = [{"kind": fault.kind, "where": fault.where} for fault in found]
        faults += [{"kind": "database", "where": text} for text in tx.integrity()]
        if record:
            faults += [
                {"kind": f"against {fault.kind}", "where": fault.where}
                for fault in differences(tx, record)
            ]
        files = tx.scalar("SELECT COUNT(*) FROM sealed_file")
    ok = result.ok and not faults
    told = f"{result.entries} entries and {files} sealed files, head {result.head}"
    if record:
        told += f", against a record of {record.chain.reach} links"
    shown = "\n".join(f"  {fault['kind']} at {fault['where']}" for fault in faults)
    app.answer(
        {"ok": ok, "entries": result.entries, "head": result.head, "faults": faults},
        f"verified: {told}" if ok else f"FAULTS in {told}:\n{shown}",
    )
    ctx.exit(0 if ok else 1)


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsageError(
            f"the record cannot be read: {error}", where=str(path), next_step="name another copy"
        ) from error
