"""The command line on real books, with a clock that stands still."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from company import usage
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.errors import TallybookError


@pytest.fixture
def call(company):
    """``call("run", "2026-10", "--json")``: exit code, standard output, its JSON, standard error."""

    def run(*args):
        app = App(company.home, "tester", clock=company.clock)
        done = CliRunner().invoke(cli, list(args), obj=app)
        if isinstance(done.exception, TallybookError):
            return SimpleNamespace(
                code=done.exception.exit_code, out=done.stdout, err=str(done.exception), value=None
            )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        value = json.loads(done.stdout) if "--json" in args and done.stdout else None
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr, value=value)

    return run


@pytest.fixture
def october(company, call):
    company.ingest(usage())
    call("run", "2026-10")
    return company


@pytest.fixture
def by(company):
    """``by("cfo", ...)``: a command by somebody else."""

    def run(actor, *args):
        app = App(company.home, actor, clock=company.clock)
        return CliRunner().invoke(cli, list(args), obj=app)

    return run
