"""`init` and `apply`: the books and their policy files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from tallybook.books.documents import example_files, read_folder
from tallybook.books.plan import plan
from tallybook.cli.app import App, note
from tallybook.cli.options import json_option
from tallybook.errors import WrongUsageError
from tallybook.post.apply import apply_documents, current_documents
from tallybook.store import Store
from tallybook.store.commands import Command, log_command
from tallybook.store.engine import HEAD, Tx
from tallybook.store.join import join
from tallybook.store.rehome import rehome
from tallybook.store.upgrade import Upgraded
from tallybook.store.upgrade import upgrade as upgrade_books


@click.command()
@click.argument("home", type=click.Path(path_type=Path))
@click.option(
    "--store",
    "database",
    default="",
    metavar="URL",
    help="PostgreSQL database to keep the books in; its password is in PGPASSWORD or ~/.pgpass.",
)
@click.option(
    "--lake",
    default="",
    metavar="URL",
    help="Where sealed files lie, as s3://bucket/folder; else in HOME/lake.",
)
@click.option("--join", "is_joined", is_flag=True, help="The books are in the database already.")
@click.option(
    "--from",
    "old",
    type=click.Path(path_type=Path),
    help="Home of books to copy, exactly: from a file to a database, or back.",
)
@json_option
@click.pass_obj
def init(
    app: App,
    home: Path,
    database: str,
    lake: str,
    is_joined: bool,  # noqa: FBT001 - click gives flags by position
    old: Path | None,
) -> None:
    """Make an empty set of books in HOME, with example policy files in HOME/books.

    The book is a file in HOME, for one host. With --store it is a PostgreSQL database, for several:
    each has a folder of its own, the first made without and the others with --join, and all name
    the same --lake.

    With --from the books of another folder are copied: every row, every sealed file, so that the
    chain keeps its head and statements their bytes.

    Examples:  tallybook init acme
    tallybook init acme --store postgresql://tally@db.example/acme --lake s3://acme/lake
    tallybook init bigger --from acme --store postgresql://tally@db.example/acme
    """
    if old and is_joined:
        raise WrongUsageError("--from and --join exclude each other", next_step="leave one out")
    if is_joined and not database:
        raise WrongUsageError(
            "--join takes the database that the books are in", next_step="give --store URL"
        )
    folder = home / "books"
    args = {"home": str(home), "store": database, "lake": lake, "from": str(old or "")}
    command = Command("init", args | {"join": is_joined}, app.actor)

    def log(tx: Tx) -> None:
        log_command(tx, command, app.clock.now_us(), {}, f"schema {HEAD}")

    if old:
        done = rehome(old, home, database, lake, last=log)
        app.answer(
            {"home": str(home), "from": str(old), "rows": done.rows, "files": done.files},
            f"books of {old} copied to {home}: {done.rows} rows, {done.files} sealed files\n"
            f"  next: tallybook --home {home} verify, and let nobody write in {old} any more",
        )
        return
    if is_joined:
        with closing(join(home, database, lake)) as joined, joined.write() as tx:
            log(tx)
        _write_examples(folder)
    else:
        Store.create(
            home,
            database,
            lake,
            beside=lambda: _write_examples(folder),
            fill=lambda _store, tx: log(tx),
        ).close()
    app.answer(
        {"home": str(home), "books": str(folder)},
        f"books made in {home}\n  next: edit {folder},"
        f" then: tallybook --home {home} apply {folder}",
    )


def _write_examples(folder: Path) -> None:
    """The example policy files, each of them whole; a file that is there stays as it is."""
    folder.mkdir(exist_ok=True)
    for name, text in example_files().items():
        target = folder / name
        if not target.exists():
            partial = folder / f".{name}.partial"
            partial.write_text(text, encoding="utf-8")
            partial.replace(target)


@click.command()
@click.argument("home", type=click.Path(path_type=Path))
@click.option(
    "--to", "to", default=HEAD, metavar="VERSION", help="Another schema, for an earlier release."
)
@json_option
@click.pass_obj
def upgrade(app: App, home: Path, to: str) -> None:
    """Bring the books in HOME to this release. First the book file is copied; twice does nothing.

    Books on PostgreSQL are not copied: back them up with pg_dump first. The change is one
    transaction. With --to the books go back to an earlier schema, which is refused if it has no
    place for something that was recorded.

    Examples:  tallybook upgrade acme
    tallybook upgrade acme --to 0005
    """
    command = Command("upgrade", {"to": to}, app.actor)
    done = upgrade_books(home, to, command, app.clock.now_us())
    app.answer(
        {
            "before": done.before,
            "after": done.after,
            "steps": [{"version": number, "what": what} for number, what in done.steps],
            "backup": str(done.backup) if done.backup else None,
        },
        _upgraded_text(done, home),
    )


def _upgraded_text(done: Upgraded, home: Path) -> str:
    if not done.steps:
        return f"the books in {home} have schema {done.after} already"
    verb = "upgraded" if done.before < done.after else "brought back"
    steps = [f"  {number}  {what}" for number, what in done.steps]
    kept = [f"  the book file as it was: {done.backup}"] if done.backup else []
    is_ours = done.after == HEAD
    after = f"tallybook --home {home} check" if is_ours else "open them with that release"
    return "\n".join(
        [
            f"books in {home} {verb} from schema {done.before} to {done.after}",
            *steps,
            *kept,
            f"  next: {after}",
        ]
    )


@click.command()
@click.argument("books", type=click.Path(path_type=Path))
@click.option("--plan", "only_plan", is_flag=True, help="Show what would change; record nothing.")
@json_option
@click.pass_obj
def apply(app: App, books: Path, only_plan: bool) -> None:  # noqa: FBT001 - click gives flags by position
    """Record a new version of the policy files in folder BOOKS; a wrong folder is refused whole.

    Example:  tallybook apply books --plan
    """
    wanted = read_folder(books)
    shown = plan(current_documents(app.store), wanted)
    if only_plan:
        values = [asdict(change) for change in shown.changes]
        app.answer({"changes": values, "kinds": list(shown.kinds)}, shown.text())
        return
    note(shown.text())
    command = Command("apply", {"books": str(books)}, app.actor)
    changed = apply_documents(app.store, wanted, command, app.clock.now_us())
    text = ", ".join(f"{kind} version {version}" for kind, version in changed.items())
    app.answer({"recorded": changed}, f"recorded {text}" if changed else "nothing changed")
