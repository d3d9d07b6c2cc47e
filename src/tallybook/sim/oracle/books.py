"""The policy files as plain dicts of text, and what holds at an instant.

Nothing is checked here: the books under test refuse what is wrong. All scalars stay the text that
was written, so no float is ever made; amounts become fractions where they are used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import yaml

Row = dict[str, Any]
INSTANT_MIN = datetime.min.replace(tzinfo=UTC)
INSTANT_MAX = datetime.max.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Books:
    """One company's files for one month; `start` and `end` bound it in UTC, half-open."""

    org: Row
    policy: Row
    prices: Row
    budgets: Row
    period: str
    zone: ZoneInfo
    start: datetime
    end: datetime

    @property
    def unowned_team(self) -> str:
        """The team that answers for what nobody tagged; all its lines are central."""
        return str(self.org["unowned"]["team"])


def read_books(texts: Mapping[str, str], period: str) -> Books:
    """Read the YAML texts `org`, `policy`, `prices`, `budgets` (the last two may be absent)."""
    org, policy, prices, budgets = (
        yaml.load(texts.get(kind, ""), Loader=_LOADER) or {}  # noqa: S506 - text only
        for kind in ("org", "policy", "prices", "budgets")
    )
    zone = ZoneInfo(org["company"].get("timezone", "UTC"))
    start = day_start(f"{period}-01", zone)
    end = day_start(f"{next_month(period)}-01", zone)
    version = policy_version(policy["versions"], period)
    return Books(org, version, prices, budgets, period, zone, start, end)


def next_month(period: str) -> str:
    """The month after, as `YYYY-MM`."""
    year, month = (int(part) for part in period.split("-"))
    return f"{year + 1}-01" if month == 12 else f"{year}-{month + 1:02}"  # noqa: PLR2004


def month_before(period: str) -> str:
    """The month before, as `YYYY-MM`."""
    year, month = (int(part) for part in period.split("-"))
    return f"{year - 1}-12" if month == 1 else f"{year}-{month - 1:02}"


def neighbourhood(books: Books) -> tuple[datetime, datetime]:
    """The month with the one before and the one after, in which ancestors are looked for."""
    after = next_month(next_month(books.period))
    first = day_start(f"{month_before(books.period)}-01", books.zone)
    return first, day_start(f"{after}-01", books.zone)


def policy_version(versions: list[Row], period: str) -> Row:
    """A version holds from its month until the next version's month."""
    begun = [version for version in versions if version["effective_from"] <= period]
    return max(begun, key=lambda version: str(version["effective_from"]))


def day_start(text: str, zone: ZoneInfo) -> datetime:
    """The first instant of a date in a zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def instant(text: str, zone: ZoneInfo | None = None) -> datetime:
    """An instant in UTC, truncated to microseconds; a bare date begins in `zone`, else in UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or UTC)
    return moment.astimezone(UTC)


def begins(row: Row, zone: ZoneInfo | None = None) -> datetime:
    """When a dated row begins to hold."""
    return instant(row["from"], zone) if "from" in row else INSTANT_MIN


def ends(row: Row, zone: ZoneInfo | None = None) -> datetime:
    """The first instant at which a dated row no longer holds."""
    return instant(row["to"], zone) if "to" in row else INSTANT_MAX


def in_force(rows: list[Row], at: datetime, zone: ZoneInfo | None = None) -> list[Row]:
    """The rows that hold at an instant, in the order of the file."""
    return [row for row in rows if begins(row, zone) <= at < ends(row, zone)]


def by_id(books: Books, kind: str, at: datetime) -> dict[str, Row]:
    """The rows of one kind of `org.yaml` in force at an instant, by id."""
    rows = in_force(books.org.get(kind, []), at, books.zone)
    return {str(row["id"]): row for row in rows}


def terms(books: Books, team: str) -> Row:
    """A team's model with its terms; what it leaves out it takes from a default of its model."""
    default: Row = books.policy["default"]
    own: Row = books.policy.get("teams", {}).get(team, default)
    return {**default, **own} if own["model"] == default["model"] else own


def percent(text: str) -> Fraction:
    """`"15%"` as a fraction."""
    return Fraction(text.removesuffix("%")) / 100


def budgets_in_force(books: Books) -> dict[str, Fraction]:
    """Budget of the month by feature, with its increases, as in force at the month's end."""
    month = books.period
    found: dict[str, Fraction] = {}
    for row in books.budgets.get("budgets", []):
        if row.get("from", "") <= month < row.get("to", "9999-99"):
            found[str(row["feature"])] = Fraction(row["monthly"])
    for row in books.budgets.get("increases", []):
        if row["month"] == month:
            found[str(row["feature"])] += Fraction(row["amount"])
    return found
