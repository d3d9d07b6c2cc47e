"""The order of reasoning: every kind of difference that is injected is found again, exactly."""

import random

import pytest

from invoice_parts import DAY, PRICE, billed, cell, changed, line, named
from tallybook.reconcile.classify import Scope, classify
from tallybook.reconcile.model import LineKind


def days(*quantities, **more):
    return [cell(quantity=n, day=day, **more) for day, n in enumerate(quantities)]


def test_what_agrees_to_the_last_digit_has_no_name():
    cells = days(5, 6, 7)
    assert named([billed(c) for c in cells], cells) == {}
    scope = Scope("x", 0, 31 * DAY, set(range(0, 31 * DAY, DAY)))
    assert classify(scope, [billed(c) for c in cells], cells).matched_lines == 3


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("credit", "credit"), ("discount", "discount"), ("commitment", "commitment"),
        ("minimum", "minimum"), ("free_quota", "free_quota"), ("tax", "tax"), ("fee", "fee"),
        ("fx", "fx"), ("rounding", "rounding"), ("other", "suspense"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_usage_has_the_name_of_its_kind(kind, name):
    told = line(kind=LineKind(kind), amount_pico=-7, product="p")
    assert named([told], []) == {(name, "p"): -7}


def test_price_is_what_remains_when_the_quantity_agrees():
    (one,) = cells = days(1000)
    assert named([billed(one, amount_pico=1000 * PRICE + 70)], cells) == {("price", "contract"): 70}


def test_quantity_at_contract_is_volume_and_the_rest_price():
    (one,) = cells = days(1000)
    more = billed(one, quantity=1100, amount_pico=1100 * (PRICE + 1))
    assert named([more], cells) == {
        ("volume", "outside_gateway"): 100 * PRICE, ("price", "contract"): 1100,
    }  # fmt: skip


def test_less_than_metered_is_volume_that_was_not_billed():
    cells = days(1000, 1000, 1000)
    lines = [billed(c) for c in cells]
    lines[1] = billed(cells[1], quantity=900, amount_pico=900 * PRICE)
    assert named(lines, cells) == {("volume", "not_billed"): -100 * PRICE}


def test_a_key_that_is_not_metered_and_calls_of_a_key_that_is():
    cells = [cell(key="k1", quantity=10)]
    lines = [
        billed(cells[0], quantity=12, amount_pico=12 * PRICE),
        line(model="m", token_class="output", key_id="k2", quantity=5, amount_pico=5 * PRICE),
    ]
    assert named(lines, cells) == {
        ("volume", "outside_gateway"): 2 * PRICE, ("volume", "unmetered_key"): 5 * PRICE,
    }  # fmt: skip


def test_streams_that_were_cut_off_are_short_of_output_alone():
    output = cell("m", "output", 100, calls=3, open_calls=2)
    given_in = cell("m", "input_uncached", 50, calls=3, open_calls=2)
    longer = billed(output, quantity=120, amount_pico=120 * PRICE)
    assert named([longer, billed(given_in)], [output, given_in]) == {
        ("volume", "aborted_streams"): 20 * PRICE
    }
    more_in = billed(given_in, quantity=60, amount_pico=60 * PRICE)
    assert named([longer, more_in], [output, given_in]) == {
        ("volume", "outside_gateway"): 30 * PRICE
    }


def test_neighbouring_days_explain_each_other_and_the_rest_is_volume():
    cells = days(100, 100, 100)
    lines = [
        billed(cells[0], quantity=140, amount_pico=140 * PRICE),
        billed(cells[1], quantity=70, amount_pico=70 * PRICE),
        billed(cells[2]),
    ]
    scope = Scope("x", 0, 31 * DAY, set())
    items = classify(scope, lines, cells).items
    moved = sorted((i.day_us // DAY, i.quantity, i.amount_pico) for i in items if i.cause == "day")
    assert moved == [(0, 30, 30 * PRICE), (1, -30, -30 * PRICE)]
    assert named(lines, cells) == {("volume", "outside_gateway"): 10 * PRICE}


def test_the_cut_off_waits_for_the_next_invoice_only_while_that_is_not_in():
    cells = [cell(quantity=100, day=29), cell(quantity=80, day=30)]
    lines = [billed(cells[0])]
    assert named(lines, cells, told=range(31)) == {("timing", "cut_off"): -80 * PRICE}
    assert named(lines, cells, told=range(35)) == {("volume", "not_billed"): -80 * PRICE}
    assert named(lines, cells, told=range(30)) == {("timing", "not_invoiced"): -80 * PRICE}


def test_the_next_invoice_that_bills_the_last_day_settles_it():
    last = cell(quantity=80, day=30)
    late = line(start_us=31 * DAY, end_us=32 * DAY, model="m", token_class="output",
                tier="standard", quantity=80, amount_pico=80 * PRICE)  # fmt: skip
    scope = Scope("x", 0, 31 * DAY, {n * DAY for n in range(35)})
    (item,) = classify(scope, [late], [last]).items
    assert (str(item.kind), item.cause, item.amount_pico) == ("timing", "day", -80 * PRICE)
    after = Scope("x", 31 * DAY, 62 * DAY, {n * DAY for n in range(62)})
    (item,) = classify(after, [late], [changed(last, inside_pico=0)]).items
    assert (str(item.kind), item.amount_pico) == ("timing", 80 * PRICE)


def test_a_month_in_one_line_leaves_what_the_last_day_can_hold():
    cells = [cell(quantity=100, day=3), cell(quantity=80, day=30)]
    month = line(start_us=0, end_us=31 * DAY, model="m", token_class="output", quantity=150,
                 amount_pico=150 * PRICE)  # fmt: skip
    assert named([month], cells) == {("timing", "cut_off"): -30 * PRICE}
    short = changed(month, quantity=90, amount_pico=90 * PRICE)
    assert named([short], cells) == {("volume", "not_billed"): -90 * PRICE}


def test_billed_at_nothing_is_free_quota_or_covered():
    (one,) = cells = days(100)
    assert named([billed(one, amount_pico=0)], cells) == {
        ("free_quota", "billed_at_nothing"): -100 * PRICE
    }
    assert named([billed(one, amount_pico=0, covered=True)], cells) == {
        ("commitment", "covered"): -100 * PRICE
    }


def test_nothing_is_no_rounding_of_half_a_dollar():
    """Zeros at the end of a figure are not kept: 0 may have been written 0.00."""
    (one,) = cells = days(10_000)
    told = billed(one, amount_pico=0, places=0)
    assert named([told], cells) == {("free_quota", "billed_at_nothing"): -10_000 * PRICE}


def test_rounding_is_no_more_than_the_last_decimal_hides():
    (one,) = cells = days(2501)  # 0.005002
    cent = billed(one, amount_pico=5 * 10**9, places=3)
    assert named([cent], cells) == {("rounding", "last_decimals"): -2 * PRICE // 2}
    assert named([changed(cent, places=7)], cells) == {("price", "contract"): -PRICE}


def test_exchange_apart_from_price():
    (one,) = cells = days(100)
    told = billed(one, amount_pico=100 * PRICE + 9, fx_pico=9, currency="EUR", rate="1.1")
    assert named([told], cells) == {("fx", "rate"): 9}


def test_another_tier_is_a_price():
    (one,) = cells = days(100)
    told = billed(one, tier="priority", amount_pico=150 * PRICE)
    assert named([told], cells) == {("price", "tier"): 50 * PRICE}


def test_what_has_no_price_in_the_books_says_so():
    (one,) = cells = days(100, price=None, unpriced=100)
    assert named([billed(one, amount_pico=77)], cells) == {("price", "unpriced"): 77}


def test_a_report_that_leaves_the_priority_tier_out():
    cells = [cell(quantity=10), cell(quantity=4, tier="priority")]
    lines = [changed(billed(cells[0]), quantity=None)]
    found = named(lines, cells, forms={"anthropic-costs"})
    assert found == {("commitment", "priority_tier"): -4 * PRICE}
    assert named(lines, cells) == {("volume", "not_billed"): -4 * PRICE}


class TestAmountsAlone:
    """No quantities on the invoice."""

    def amounts(self, cells, *amounts):
        return [
            changed(billed(c), quantity=None, amount_pico=amount)
            for c, amount in zip(cells, amounts, strict=True)
        ]

    def test_one_ratio_on_every_day_is_a_price(self):
        cells = days(100, 300, 200)
        lines = self.amounts(cells, 110 * PRICE, 330 * PRICE, 220 * PRICE)
        assert named(lines, cells) == {("price", "contract"): 60 * PRICE}

    def test_days_beside_the_month_do_not_hide_a_ratio(self):
        """The month after has its own price, or no invoice yet."""
        beside = cell(quantity=70, day=31, inside_pico=0)
        cells = [*days(100, 300), beside]
        lines = self.amounts(cells[:2], 110 * PRICE, 330 * PRICE)
        assert named(lines, cells) == {("price", "contract"): 40 * PRICE}
        exact = self.amounts([beside], 70 * PRICE)
        assert named([*lines, *exact], cells) == {("price", "contract"): 40 * PRICE}

    def test_where_other_days_agree_it_is_volume(self):
        cells = days(100, 300, 200)
        lines = self.amounts(cells, 100 * PRICE, 300 * PRICE, 250 * PRICE)
        assert named(lines, cells) == {("volume", "outside_gateway"): 50 * PRICE}

    def test_where_nothing_was_metered_it_is_volume(self):
        assert named([line(amount_pico=5)], []) == {("volume", "outside_gateway"): 5}

    def test_what_nothing_explains_is_suspense(self):
        cells = days(100, 300)
        lines = self.amounts(cells, 103 * PRICE, 301 * PRICE)
        assert named(lines, cells) == {("suspense", "unexplained"): 4 * PRICE}


def own_kinds(draw, lines, put):
    for kind in ("credit", "discount", "commitment", "minimum", "tax", "fee", "other"):
        amount = draw.randint(-(10**12), 10**12)
        lines.append(line(kind=LineKind(kind), amount_pico=amount, product=kind))
        put("suspense" if kind == "other" else kind, kind, amount)


def injected(seed):
    """A month of a provider with differences of every kind put in, and what was put in."""
    draw = random.Random(seed)
    cells, lines, truth = [], [], {}

    def put(kind, cause, amount):
        truth[kind, cause] = truth.get((kind, cause), 0) + amount

    for number in range(draw.randint(1, 3)):
        model, price = f"m{number}", draw.randint(1, 30) * 100_000
        for day in range(31):
            base = cell(model, "output", draw.randint(1000, 10**6), day=day, key="k", price=price)
            cells.append(base)
            lines.append(billed(base))
        at = [
            n for n in range(31) if n % 4 == 1 and n < 29
        ]  # apart, so that no day explains another
        draw.shuffle(at)
        first = len(lines) - 31

        def change(day, quantity, amount, first=first):
            old = lines[first + day]
            lines[first + day] = changed(
                old, quantity=old.quantity + quantity, amount_pico=old.amount_pico + amount
            )

        n = draw.randint(1, 999)
        change(at[0], 0, n)
        put("price", "contract", n)
        change(at[1], n, n * price)
        put("volume", "outside_gateway", n * price)
        change(at[2], -n, -n * price)
        put("volume", "not_billed", -n * price)
        change(at[3], -n, -n * price)
        change(at[3] + 1, n, n * price)
        put("timing", "day", 0)
        old = lines[first + at[4]]
        lines[first + at[4]] = changed(old, amount_pico=0)
        put("free_quota", "billed_at_nothing", -old.amount_pico)
        old = lines[first + at[5]]
        lines[first + at[5]] = changed(old, fx_pico=n, amount_pico=old.amount_pico + n)
        put("fx", "rate", n)
        old = lines[first + at[6]]
        rest = -(old.amount_pico % 10**10)  # to cents, down: less than half a cent of it
        if 2 * -rest <= 10**10:
            lines[first + at[6]] = changed(old, amount_pico=old.amount_pico + rest, places=2)
            put("rounding", "last_decimals", rest)
        unmetered = draw.randint(1, 10**6)
        lines.append(line(model=model, token_class="output", key_id=f"shadow{number}",
                          quantity=unmetered, amount_pico=unmetered * price))  # fmt: skip
        put("volume", "unmetered_key", unmetered * price)
        last = lines[first + 30]
        lines[first + 30] = changed(last, quantity=last.quantity - n,
                                    amount_pico=last.amount_pico - n * price)  # fmt: skip
        put("timing", "cut_off", -n * price)
    own_kinds(draw, lines, put)
    draw.shuffle(lines)
    draw.shuffle(cells)
    return lines, cells, {name: amount for name, amount in truth.items() if amount}


@pytest.mark.parametrize("seed", range(25))
def test_every_kind_of_variance_that_is_injected_is_found_again(seed):
    lines, cells, truth = injected(seed)
    assert named(lines, cells, told=range(31)) == truth


@pytest.mark.parametrize("seed", range(25))
def test_the_identity_holds_whatever_is_billed(seed):
    """Lines changed at will: the names may be wrong, the sum may not."""
    chance = random.Random(-seed)
    lines, cells, _ = injected(seed)
    for n in range(len(lines)):
        if chance.random() < 0.3:
            lines[n] = changed(
                lines[n],
                amount_pico=chance.randint(-(10**13), 10**13),
                quantity=chance.choice([None, 0, chance.randint(0, 10**7)]),
                start_us=(start := chance.randint(-3, 33) * DAY + chance.randint(0, DAY - 1)),
                end_us=start + chance.choice([3_600_000_000, DAY, 9 * DAY, 40 * DAY]),
                model=chance.choice(["", "m0", "M-0", "gone"]),
                token_class=chance.choice(["", "output", "cache_write"]),
                tier=chance.choice(["", "batch"]),
            )
    for n in range(len(cells)):
        if chance.random() < 0.2:
            cells[n] = changed(cells[n], inside_pico=chance.randint(0, cells[n].amount_pico),
                               day_us=chance.randint(-2, 32) * DAY, price=None)  # fmt: skip
    named(lines, cells, told=range(chance.randint(0, 40)))
