"""What NetSuite, Oracle Fusion and Xero voucher of their imports, as checkers.

Each reads the bytes of files as the ERP would and returns its journals: by id, the sum of each
account. They share no code with what writes the files, and no mapping is looked at.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import defaultdict
from decimal import Decimal

NETSUITE = [
    "External ID", "Date", "Posting Period", "Subsidiary", "Currency", "Memo",
    *(f"Journal Entry - Line: {name}" for name in (
        "Account", "Debit", "Credit", "Memo", "Department", "Class", "Location")),
]  # fmt: skip
XERO = [
    "*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount", "TrackingName1",
    "TrackingOption1", "TrackingName2", "TrackingOption2",
]  # fmt: skip
# The line that Oracle's "Generate an FBDI file" prints: 92 columns, then END.
ORACLE_SAMPLE = (
    "NEW,1,2018/03/01,Balance Transfer,Remote Transfer,USD,2018/03/01,A,01,000,1212,0000,000"
    + "," * 26 + "99.00,,,,Team A Team Batch5,,,Orange Journal5" + "," * 21 + "123" + "," * 26 + "END"
)  # fmt: skip


def amount(text, whole=99):
    assert re.fullmatch(rf"\d{{1,{whole}}}\.\d\d", text), text
    return Decimal(text)


def debit_or_credit(debit, credit, whole=99):
    assert bool(debit) != bool(credit), (debit, credit)
    return amount(debit, whole) if debit else -amount(credit, whole)


def balanced(journals, lines_min=2, lines_max=10**9):
    for name, lines in journals.items():
        assert lines_min <= len(lines) <= lines_max, (name, len(lines))
        assert sum(each for _, each in lines) == 0, name
    sums = {}
    for name, lines in journals.items():
        sums[name] = defaultdict(Decimal)
        for account, each in lines:
            sums[name][account] += each
    return {name: dict(found) for name, found in sums.items()}


def netsuite(files, accounts, departments):
    journals, bodies = defaultdict(list), {}
    for name, raw in files.items():
        assert name.endswith(".csv")
        head, *rows = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))
        assert head == NETSUITE
        for row in rows:
            cells = dict(zip(NETSUITE, row, strict=True))
            line = {key.rpartition(": ")[2]: text for key, text in cells.items() if ": " in key}
            body = tuple(row[:6])
            assert all(body[:5])
            assert bodies.setdefault(cells["External ID"], body) == body
            month, day, year = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", cells["Date"]).groups()
            months = [
                "Jan",
                "Feb",
                "Mar",
                "Apr",
                "May",
                "Jun",
                "Jul",
                "Aug",
                "Sep",
                "Oct",
                "Nov",
                "Dec",
            ]
            assert cells["Posting Period"] == f"{months[int(month) - 1]} {year}"
            assert 1 <= int(day) <= 31
            assert line["Account"] in accounts
            assert line["Department"] in {*departments, ""}
            assert line["Account"] == line["Account"].strip()
            figure = debit_or_credit(line["Debit"], line["Credit"], whole=10)
            journals[cells["External ID"]].append((line["Account"], figure))
    return balanced(journals, lines_max=200)


def xero(files, codes, options):
    journals = defaultdict(list)
    for raw in files.values():
        head, *rows = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""))
        assert head == XERO
        assert len(rows) <= 300
        here = defaultdict(list)
        for row in rows:
            cells = dict(zip(XERO, row, strict=True))
            assert all(text for key, text in cells.items() if key.startswith("*"))
            assert re.fullmatch(r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4}", cells["*Date"])
            assert cells["*AccountCode"] in codes
            assert cells["TrackingOption1"] in {*options, ""}
            assert row[-2:] == ["", ""]
            assert re.fullmatch(r"-?\d+\.\d\d", cells["*Amount"])
            figure = Decimal(cells["*Amount"])
            assert figure
            here[cells["*Narration"], cells["*Date"]].append((cells["*AccountCode"], figure))
        assert not here.keys() & journals.keys(), "a journal is torn over two files"
        journals.update(here)
    return balanced(journals)


def oracle(files):
    journals, names = defaultdict(list), set()
    sample = ORACLE_SAMPLE.split(",")
    debit_at, batch_at = sample.index("99.00"), sample.index("Team A Team Batch5")
    journal_at, group_at = sample.index("Orange Journal5"), sample.index("123")
    for name, raw in files.items():
        assert name.endswith(".zip")
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            assert archive.namelist() == ["GlInterface.csv"]
            text = archive.read("GlInterface.csv").decode("utf-8")
        for row in csv.reader(io.StringIO(text, newline="")):
            assert len(row) == len(sample)
            assert (row[0], row[7], row[-1]) == ("NEW", "A", "END")
            assert re.fullmatch(r"\d{1,18}", row[1])
            assert re.fullmatch(r"\d{4}/\d\d/\d\d", row[2])
            assert re.fullmatch(r"\d{4}/\d\d/\d\d", row[6])
            assert 1 <= len(row[3]) <= 25
            assert 1 <= len(row[4]) <= 25
            assert re.fullmatch(r"[A-Z]{3}", row[5])
            assert re.fullmatch(r"\d{1,18}", row[group_at])
            assert 1 <= len(row[journal_at]) <= 100
            assert 1 <= len(row[batch_at]) <= 100
            names.add(row[group_at])
            figure = debit_or_credit(row[debit_at], row[debit_at + 1])
            used = {*range(9), debit_at, debit_at + 1, batch_at, batch_at + 1, journal_at,
                    journal_at + 1, journal_at + 2, 51, group_at, len(row) - 1}  # fmt: skip
            segments = [cell for cell in row[8:38] if cell]
            assert not [at for at, cell in enumerate(row) if cell and at not in used | {*range(38)}]
            journals[row[journal_at]].append(("-".join(segments), figure))
    assert len(names) == 1
    return balanced(journals)
