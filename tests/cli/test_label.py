"""`label check`: an AI feature without a cost label that the books know does not pass, nor does what
nobody can decide."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from people import company
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.errors import TallybookError

LABELLED = 'client = OpenAI(default_headers={"x-tallybook-feature": "bot"})\n'
USES = {
    "a.py": "from openai import OpenAI\n",
    "b.py": "    import anthropic\n",
    "c.ts": 'import Anthropic from "@anthropic-ai/sdk";\n',
    "d.js": "const OpenAI = require('openai')\n",
    "e.go": 'import "github.com/openai/openai-go"\n',
    "f.java": "import com.openai.client.OpenAIClient;\n",
    "g.yaml": "url: https://api.openai.com/v1\n",
    "h.env": "ANTHROPIC_API_KEY=x\n",
    "i.py": 'boto3.client("bedrock-runtime")\n',
    "j.ts": 'import { openai } from "@ai-sdk/openai";\n',
    "k.py": "from langchain_openai import ChatOpenAI\n",
    "l.tf": 'endpoint = "https://x.openai.azure.com"\n',
}
HARMLESS = {
    "a.py": "import openapi\nfrom fast import openai_like\n",
    "package.json": '{"dependencies": {"openai": "^5"}}\n',
    "b.js": 'import x from "./openai-stub"\n',
    "c.md": "see api.openai.com\n",
}


@pytest.fixture
def books(tmp_path_factory):
    made = company(tmp_path_factory.mktemp("acme"), events=[])
    yield made
    made.store.close()


@pytest.fixture
def check(books, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(files, *args):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        app = App(books.home, "ci", clock=books.clock)
        done = CliRunner().invoke(cli, ["label", "check", *args, "--json"], obj=app)
        if isinstance(done.exception, TallybookError):
            return SimpleNamespace(code=done.exception.exit_code, err=str(done.exception))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        value = json.loads(done.stdout) if done.stdout else {}
        faults = [f"{one['place']}: {one['what']}" for one in value.get("faults", [])]
        return SimpleNamespace(code=done.exit_code, value=value, faults=faults, err=done.stderr)

    return run


@pytest.mark.parametrize("name", USES)
def test_every_kind_of_use_needs_a_label(check, name):
    found = check({name: USES[name]})
    assert found.code == 1
    (fault,) = found.faults
    assert fault.startswith(f"{name}:1: calls a model (")
    assert fault.endswith(") without a cost label")


def test_what_calls_no_model_needs_none(check):
    found = check(HARMLESS)
    assert (found.code, found.faults, found.value["uses"]) == (0, [], {})
    assert found.value["files_read"] == 3


@pytest.mark.parametrize(
    "text",
    [
        LABELLED,
        "X-Tallybook-Feature: bot\n",
        "headers = {'x-tallybook-feature': 'bot'}\n",
        'headers.set("x-tallybook-feature", "bot")\n',
        'TALLYBOOK_FEATURE="bot"\n',
        'baggage = "chargeback.team=a,chargeback.feature=bot"\n',
        'with tag(\n    team="a",\n    feature="bot",\n):\n',
        "# tallybook: feature=bot\n",
    ],
)
def test_every_way_of_labelling_is_seen(check, text):
    found = check({"src/a.py": "import openai\n" + text})
    assert (found.code, found.value["uses"]) == (0, {"src/a.py": ["bot"]}), found.faults


def test_a_label_that_the_books_do_not_know_is_refused(check):
    found = check({"a.py": "import openai\n" + LABELLED.replace("bot", "bott")})
    assert found.code == 1
    assert found.faults == ["a.py:2: the books know no use case 'bott'"]


@pytest.mark.parametrize("value", ["name", "f'{team}-bot'", "${FEATURE}", "os.environ['F']"])
def test_a_label_that_is_made_while_running_is_no_pass(check, value):
    text = f'import openai\nheaders = {{"x-tallybook-feature": {value}}}\n'
    found = check({"a.py": text})
    assert found.code == 1
    declared = 'labels:\n  - {path: "a.py", feature: bot}\n'
    assert check({"tallybook-labels.yaml": declared}).code == 0


def test_the_label_file_declares_and_excuses_by_path(check):
    found = check(
        {
            "src/bot/a.py": "import openai\n",
            "tests/a.py": "import openai\n",
            "tallybook-labels.yaml": 'labels:\n  - {path: "src/bot/*", feature: bot}\n'
            '  - {path: "tests/*", none: answers are recorded}\n',
        }
    )
    assert (found.code, found.value["uses"]) == (0, {"src/bot/a.py": ["bot"]})
    assert found.value["exempt"] == ["tests/a.py"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{path: 'gone/*', feature: bot}", "no file that was read matches this row"),
        ("{path: 'a.py', feature: bott}", "the books know no use case 'bott'"),
        ("{path: 'a.py', key: vk-none}", "the books know no key 'vk-none'"),
    ],
)
def test_a_row_that_is_not_true_is_a_fault(check, row, message):
    found = check({"a.py": "x = 1\n", "tallybook-labels.yaml": f"labels:\n  - {row}\n"})
    assert found.code == 1
    assert message in found.faults[0]


def test_a_key_of_the_books_labels_its_calls(check):
    rows = "labels:\n  - {path: a.yaml, key: key-b}\n"
    found = check({"a.yaml": "url: https://api.openai.com\n", "tallybook-labels.yaml": rows})
    assert (found.code, found.value["uses"]) == (0, {"a.yaml": ["find"]})


def test_a_mark_of_the_house_is_a_use_too(check):
    rows = "labels:\n  - {path: '*.py', mark: house_llm.ask}\n"
    found = check({"a.py": "house_llm.ask('hi')\n", "tallybook-labels.yaml": rows})
    assert found.faults == ["a.py:1: calls a model (house_llm.ask) without a cost label"]


@pytest.mark.parametrize(
    "rows", ["labels: 3", "- a", "labels: [{feature: bot}]", "labels: [{path: a, feature: bot, none: x}]",
             "labels: [{path: a}]", "labels: [{path: a, feature: 3}]", "labels: ["],
)  # fmt: skip
def test_a_label_file_that_is_not_understood_is_refused(check, rows):
    assert check({"a.py": "x = 1\n", "tallybook-labels.yaml": rows}).code == 2


def test_no_file_is_no_pass(check):
    assert check({}).code == 1
    assert check({"notes.md": "api.openai.com"}).code == 1
    assert check({"node_modules/a.js": USES["d.js"]}).code == 1


def test_a_file_that_cannot_be_read_is_no_pass(check):
    found = check({"a.py": b"import openai \xff\n"})
    assert (found.code, "is not UTF-8" in found.err) == (2, True)


def test_a_use_case_without_a_limit_is_a_fault(check, books):
    books.apply(budgets="budgets: [{feature: find, from: 2026-10, monthly: '1.00'}]")
    found = check({"a.py": "import openai\n" + LABELLED})
    assert found.faults == ["a.py:2: use case 'bot' has no limit in 2026-10"]
    books.apply(budgets="default: {monthly: '5.00', over: stop}")
    assert check({}).code == 0


def test_policy_files_may_stand_for_the_books(check, books):
    folder = str(books.home / "books")
    assert check({"a.py": "import openai\n" + LABELLED}, "a.py", "--books", folder).code == 0


def test_the_text_names_place_fault_and_step(books, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("import openai\n")
    app = App(books.home, "ci", clock=books.clock)
    done = CliRunner().invoke(cli, ["label", "check"], obj=app)
    assert done.exit_code == 1
    assert done.stdout.startswith(
        "a.py:1: calls a model (import openai) without a cost label\n  next:"
    )
    assert done.stdout.endswith("1 files read, 1 call models, 1 faults\n")
