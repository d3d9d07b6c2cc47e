"""Any order of ingest, run, soft close, adjusting, close, late usage and reopening: what was issued
never changes."""

import itertools
import tempfile
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from company import PRICES, Company, org, policy, usage
from tallybook.errors import PeriodError

MONTHS = ("2026-08", "2026-09", "2026-10")


class Books(RuleBasedStateMachine):
    """Three months whose time is over, and a shadow of everything that was issued."""

    @initialize()
    def found(self):
        self.folder = tempfile.TemporaryDirectory()
        self.company = Company(Path(self.folder.name) / "books", "2026-12-05T09:00:00Z")
        self.company.apply(org=org(), policy=policy(), prices=PRICES)
        self.numbers = itertools.count()
        self.ids = []
        self.issued = {}

    @rule(
        month=st.sampled_from(MONTHS),
        team=st.sampled_from([("a", "bot"), ("b", "find"), (None, None)]),
        purpose=st.sampled_from(["production", "evaluation"]),
        output=st.integers(0, 9_999),
        correct=st.booleans(),
    )
    def ingest(self, month, team, purpose, output, correct):
        name = f"e-{next(self.numbers)}"
        self.company.ingest(
            usage(
                name,
                started_at=f"{month}-03T10:00:00Z",
                team=team[0],
                feature=team[1],
                purpose=purpose,
                tokens={"output": output},
                supersedes=self.ids[-1] if correct and self.ids else None,
            )
        )
        self.ids.append(name)

    @rule(month=st.sampled_from(MONTHS))
    def run(self, month):
        self._unless_refused(lambda: self.company.run(month))

    @rule(month=st.sampled_from(MONTHS))
    def close(self, month):
        if closed := self._unless_refused(lambda: self.company.close(month)):
            self.issued[month, closed.version] = self._digest(month, closed.version)

    @rule(month=st.sampled_from(MONTHS))
    def reopen(self, month):
        self._unless_refused(lambda: self.company.reopen(month))

    @rule(month=st.sampled_from(MONTHS))
    def soft_close(self, month):
        self._unless_refused(lambda: self.company.soft_close(month))

    @rule(month=st.sampled_from(MONTHS), cents=st.integers(1, 500), reverses=st.booleans())
    def adjust(self, month, cents, reverses):
        amount = f"{cents // 100}.{cents % 100:02}"
        sides = (f"Charge:a:bot=-{amount}", f"Variance:goodwill={amount}")
        self._unless_refused(lambda: self.company.adjusted(*sides, period=month, reverses=reverses))

    @staticmethod
    def _unless_refused(command):
        try:
            return command()
        except PeriodError:
            return None

    def _digest(self, month, version):
        with self.company.store.read() as tx:
            text = tx.scalar(
                "SELECT body FROM statement WHERE period = :month AND version = :version",
                month=month,
                version=version,
            )
        return sha256(text.encode()).hexdigest()

    @invariant()
    def what_was_issued_stays(self):
        for (month, version), digest in getattr(self, "issued", {}).items():
            assert self._digest(month, version) == digest
            assert self.company.statements(month, version).version == version

    def teardown(self):
        if hasattr(self, "company"):
            assert self.company.failing() == {}
            assert set(self.company.rebuilt().values()) <= {""}
            self.company.store.close()
            self.folder.cleanup()


Books.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestBooks = Books.TestCase
