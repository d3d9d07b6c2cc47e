import pytest

from tallybook.books import parse, read_folder
from tallybook.errors import BooksError

ORG = """\
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units:
  - {id: commerce, name: Commerce, legal_entity: acme-us}
teams:
  - {id: support, unit: commerce, cost_center: "4711", headcount: 14}
  - {id: search, unit: commerce}
  - {id: platform, unit: commerce}
features:
  - {id: refund-bot, team: support, name: Refund bot}
  - {id: site-search, team: search}
unowned: {team: platform}
"""

POLICY = """\
versions:
  - effective_from: 2026-10
    default: {model: real_cost, markup: "15%"}
"""


class Folder:
    """A books folder in the making: what is not given is the smallest file that is right."""

    def __init__(self, path):
        self.path = path

    def write(self, org=ORG, policy=POLICY, **others):
        files = {"org": org, "policy": policy, **others}
        for kind, text in files.items():
            if text is not None:
                (self.path / f"{kind}.yaml").write_text(text, encoding="utf-8")
        return self.path

    def documents(self, **files):
        return read_folder(self.write(**files))

    def books(self, **files):
        return parse(self.documents(**files))

    def faults(self, **files):
        with pytest.raises(BooksError) as refused:
            self.documents(**files)
        return list(refused.value.faults)

    def fault(self, **files):
        (fault,) = self.faults(**files)
        assert "; expected " in fault
        assert "; do: " in fault
        return fault


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def org_with():
    """The smallest org with more rows: keyword is the section, value its rows as text."""

    def made(**sections):
        text = ORG
        for section, rows in sections.items():
            block = "".join(f"  - {row}\n" for row in rows)
            if f"\n{section}:\n" in text:
                text = text.replace(f"\n{section}:\n", f"\n{section}:\n{block}")
            else:
                text += f"{section}:\n{block}"
        return text

    return made


@pytest.fixture
def policy_with():
    """The smallest policy with more lines inside its one version."""

    def made(*lines, default='{model: real_cost, markup: "15%"}'):
        head = f"versions:\n  - effective_from: 2026-10\n    default: {default}\n"
        return head + "".join(f"    {line}\n" for line in lines)

    return made
