from tallybook.books.faults import Sheet, label, nearest, one_of, shown


def test_a_fault_names_the_nearest_line_and_the_row():
    sheet = Sheet("org.yaml", {(): 1, ("teams",): 4, ("teams", 1): 6})
    sheet.refuse(("teams", 1, "unit"), "is wrong", expected="x", remedy="y")
    assert sheet.faults == ["org.yaml:6: teams 2, unit: is wrong; expected x; do: y"]


def test_a_stored_document_has_no_lines():
    sheet = Sheet("org document")
    sheet.refuse(("teams", 0), "is wrong", expected="x", remedy="y")
    assert sheet.faults == ["org document: teams 1: is wrong; expected x; do: y"]
    assert sheet.at(("teams", 0)) == "teams 1"


def test_a_fault_can_always_be_printed():
    sheet = Sheet("org.yaml")
    sheet.refuse_line(3, "key '\ud800'", expected="x", remedy="y")
    assert sheet.faults[0].encode()


def test_words():
    assert label(("versions", 0, "pools", 2, "floor")) == "versions 1, pools 3, floor"
    assert shown(None) == "nothing"
    assert shown("x" * 100) == '"' + "x" * 60 + '..."'
    assert shown(True) == "true"
    assert shown([1]) == "a list"
    assert one_of([]) == "nothing here"
    assert one_of(f"n{i:02}" for i in range(30)).endswith("n19 and 10 more")
    assert nearest("suport", ["support", "search"]) == " (did you mean support?)"
    assert nearest("zzz", ["support"]) == ""


def test_every_fault_of_every_file_is_told_at_once(folder):
    faults = folder.faults(
        org="company: {name: Acme, currency: usd, fiscal_year_start: 2026-13, timezone: Mars}\n",
        policy="versions:\n  - {effective_from: soon, default: {model: fair}}\n",
        prices="contracts: {}\n",
        budgets="budgets:\n  - {}\n",
    )
    places = sorted({fault.split(": ")[0] for fault in faults})
    assert places == ["budgets.yaml:2", "org.yaml:1", "policy.yaml:2", "prices.yaml:1"]
    assert len(faults) == 6 + 2 + 1 + 1
