# ruff: noqa: INP001 - a script beside its data, no part of a package
"""Charge back an hour of real traffic and five real agent calls under each of the four models.

    python examples/azure_2023/run.py --data FOLDER --home DIR [--model MODEL]

Each model gets books of its own in DIR/MODEL. Everything is done by the command `tallybook`; this
script only calls it and prints what came out.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from tallybook.cli.app import errors_told
from tallybook.cli.main import cli

HERE: Final = Path(__file__).resolve().parent
DATA: Final = HERE.parents[2] / "shared" / "data"
MODELS: Final[Mapping[str, Mapping[str, str]]] = {
    "showback": {"model": "showback"},
    "proportional": {"model": "proportional"},
    "real_cost": {"model": "real_cost", "markup": "15%"},
    "use_case_budget": {"model": "use_case_budget", "charge": "committed"},
}
# The months with calls: the traces are of 16 November 2023, the agent's of 4 September 2025.
PERIODS: Final = ("2023-11", "2025-09")
FORMATS: Final = ("text", "html", "json")


def main() -> None:
    """Read the arguments, do every model, print one table."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument("--home", type=Path, required=True, help="a folder for the books")
    parser.add_argument("--model", choices=MODELS, help="default: all four")
    options = parser.parse_args()
    models = [options.model] if options.model else list(MODELS)
    inputs = list(files(options.data))
    done = {model: charge_back(options.home / model, model, inputs) for model in models}
    tell("\n".join(table(done)))
    tell(f"\nStatements, trial balances and journals are in {options.home}/MODEL/out.")


def files(data: Path) -> Iterator[tuple[str, Path, list[Path]]]:
    """Source, mapping and files of each import.

    Raises:
        SystemExit: the data is not there.
    """
    wanted = (
        ("csv", "code", "azure_llm_2023/AzureLLMInferenceTrace_code.csv"),
        ("csv", "conversation", "azure_llm_2023/AzureLLMInferenceTrace_conv.csv"),
        ("json", "gateway", "gateway_logs/*.json"),
    )
    for source, name, pattern in wanted:
        found = sorted(data.glob(pattern))
        if not found:
            sys.exit(f"{data / pattern} is not there; name its folder with --data, see README.md")
        yield source, HERE / f"{name}.map.yaml", found


def charge_back(
    home: Path, model: str, inputs: Sequence[tuple[str, Path, list[Path]]]
) -> dict[str, Any]:
    """Make the books of one model, import, run and close both months, write what came out.

    Returns:
        The statements of each period, as `tallybook statement --format json` tells them.
    """
    tallybook("init", str(home))
    write_books(home / "books", model)
    tallybook("--home", str(home), "apply", str(home / "books"))
    for source, mapping, found in inputs:
        tallybook("--home", str(home), "ingest", source, *map(str, found), "--map", str(mapping))
    for period in PERIODS:
        tallybook("--home", str(home), "run", period)
        tallybook("--home", str(home), "--as", "controller", "close", period)
    return {period: write_results(home, period) for period in PERIODS}


def write_books(folder: Path, model: str) -> None:
    """Copy the books, with the model as the default of every policy version."""
    for path in sorted((HERE / "books").glob("*.yaml")):
        shutil.copyfile(path, folder / path.name)
    policy = yaml.safe_load((HERE / "books" / "policy.yaml").read_text(encoding="utf-8"))
    for version in policy["versions"]:
        version["default"] = dict(MODELS[model])
    text = yaml.safe_dump(policy, sort_keys=False)
    (folder / "policy.yaml").write_text(text, encoding="utf-8")


def write_results(home: Path, period: str) -> Any:
    """Statements in three forms, trial balance and journal of a closed period."""
    out = home / "out" / period
    out.mkdir(parents=True)
    books = ("--home", str(home))
    for form in FORMATS:
        tallybook(*books, "statement", period, "--format", form, "--out", str(out / form))
    balance = tallybook(*books, "trial-balance", period)
    (out / "trial-balance.txt").write_text(balance, encoding="utf-8")
    tallybook(*books, "export", "beancount", period, "--out", str(out / "journal.beancount"))
    statements = out / "json" / f"statements-{period}.json"
    return json.loads(statements.read_text(encoding="utf-8"))


def tallybook(*arguments: str) -> str:
    """Do one command in this process, to spare eighty starts; returns its standard output.

    Raises:
        SystemExit: it failed; what it said is on standard error.
    """
    told = io.StringIO()
    try:
        with redirect_stdout(told), redirect_stderr(told), errors_told():
            code = cli.main(list(arguments), standalone_mode=False)
    except SystemExit as stop:
        code = stop.code
    if code:
        sys.exit(f"tallybook {' '.join(arguments)}\n{told.getvalue()}")
    return told.getvalue()


def table(done: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Team totals and control totals, a column for each model."""
    yield row("USD", *done)
    for period in PERIODS:
        issues = [issues[period] for issues in done.values()]
        yield ""
        yield f"{period}, {counted(issues[0])}"
        for number, first in enumerate(issues[0]["statements"]):
            yield row(first["team"], *(total(issue["statements"][number]) for issue in issues))
        for name, value in CONTROLS.items():
            yield row(name, *(value(issue) for issue in issues))
    yield ""
    yield "* shown to the team and not charged"


def counted(issue: Mapping[str, Any]) -> str:
    """Calls and tokens on the usage lines of all teams."""
    lines = [
        line["quantity"]
        for statement in issue["statements"]
        for line in statement["lines"]
        if line["kind"] == "usage"
    ]
    calls, tokens = (sum(line[key] for line in lines) for key in ("calls", "tokens"))
    return f"{calls:,} calls, {tokens:,} tokens"


def total(statement: Mapping[str, Any]) -> str:
    """What a team is charged, or shown."""
    return f"{Decimal(statement['total']):,}{' ' if statement['charged'] else '*'}"


def tied(issue: Mapping[str, Any]) -> str:
    """Whether charged and central make the ledger cost."""
    charged, central = Decimal(issue["charged_total"]), Decimal(issue["central"]["total"])
    return "yes " if charged + central == Decimal(issue["ledger_cost"]) else "NO "


CONTROLS: Final = {
    "charged": lambda issue: f"{Decimal(issue['charged_total']):,} ",
    "+ central": lambda issue: f"{Decimal(issue['central']['total']):,} ",
    "= ledger cost": lambda issue: f"{Decimal(issue['ledger_cost']):,} ",
    "ties": tied,
}


def row(name: str, *cells: str) -> str:
    """One line of the table."""
    return (f"  {name:18}" + "".join(f"{cell:>17}" for cell in cells)).rstrip()


def tell(text: str) -> None:
    """Print."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
