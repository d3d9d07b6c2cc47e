"""The reading order: usage by feature, transfers, their sum, what policy adds, what is not added."""

from dataclasses import replace

from tallybook.report.outline import outline


def names(rows):
    return [(row.role, row.name) for row in rows]


def test_the_order_of_a_charged_statement(real_cost):
    plan = outline(real_cost, real_cost.statement("A"))
    assert names(plan.rows) == [
        ("line", "Refund bot"),
        ("note", ""),
        ("line", "Caused by you, run by Search: retrieval"),
        ("subtotal", "Usage and transfers"),
        ("line", "Markup 15 % (gateway)"),
        ("line", "Quality pool"),
    ]
    assert (plan.total_label, plan.total) == ("Charge for October 2026", "765.00")
    subtotal = plan.rows[3]
    assert (subtotal.calls, subtotal.tokens, subtotal.amount) == ("70", "5.0 M", "600.00")
    assert plan.after == ()


def test_a_note_of_a_feature_without_a_line_says_its_name_after_the_total(real_cost):
    support = real_cost.statement("A")
    note = replace(support.notes[0], feature="reply-drafts", feature_name="Reply drafts")
    plan = outline(real_cost, replace(support, notes=(note,)))
    assert [(row.name, row.amount) for row in plan.after] == [
        ("Reply drafts, evaluation, paid by quality pool", "(100.00)")
    ]


def test_a_feature_is_named_once_even_if_its_lines_are_apart(real_cost):
    support = real_cost.statement("A")
    late = replace(support.lines[0], id="L2", purpose="batch", detail="nightly", amount_cents=5)
    lines = (*support.lines, late)
    plan = outline(real_cost, replace(support, lines=lines, total_cents=765_05))
    assert [(row.name, row.purpose) for row in plan.rows[:2]] == [
        ("Refund bot", "production"),
        ("", "batch, nightly"),
    ]


def test_every_amount_of_the_lines_is_on_the_page_once(real_cost, mixed):
    for issue in (real_cost, mixed):
        for each in issue.statements:
            plan = outline(issue, each)
            shown = [row.amount for row in plan.rows if row.role == "line"]
            assert sorted(shown) == sorted(f"{line.amount_cents // 100}.00" for line in each.lines)


def test_one_usage_line_needs_no_subtotal_and_a_bare_line_has_words(real_cost):
    search = real_cost.statement("B")
    bare = replace(search.lines[0], feature="", feature_name="", purpose="")
    unlabelled = replace(search.lines[1], label="")
    lines = (bare, unlabelled, search.lines[2])
    plan = outline(real_cost, replace(search, lines=lines))
    assert names(plan.after) == [("note", "Run for Support: retrieval, 20 calls")]
    assert names(plan.rows) == [
        ("line", "Usage without a feature"),
        ("line", "Markup"),
        ("line", "Quality pool"),
    ]


def test_a_transfer_price_stands_after_the_usage_that_markup_is_on(priced):
    plan = outline(priced, priced.statement("B"))
    assert [(row.role, row.name, row.purpose) for row in plan.rows] == [
        ("line", "Site search", "production"),
        ("line", "Caused by Support, paid by you: retrieval (transfer price)", "production"),
        ("subtotal", "Usage and transfers", ""),
        ("line", "Earned from Support: retrieval, transfer price 6.00 a call", "production"),
        ("line", "Markup 15 % (gateway)", ""),
        ("line", "Quality pool", ""),
    ]
    assert plan.rows[2].amount == "300.00"
    owed = outline(priced, priced.statement("A")).rows[2]
    assert (owed.purpose, owed.calls, owed.amount) == ("Refund bot, production", "20", "120.00")


def test_showback_has_other_words_for_its_total(mixed):
    assert (
        outline(mixed, mixed.statement("B")).total_label == "Shown, not charged, for October 2026"
    )
