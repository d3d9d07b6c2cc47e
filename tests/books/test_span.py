from tallybook.books.span import ALWAYS, FOREVER_US, Span


def test_a_span_holds_its_first_instant_and_not_the_one_after_its_last():
    one = Span(10, 20)
    assert [one.holds(us) for us in (9, 10, 19, 20)] == [False, True, True, False]
    assert ALWAYS.holds(0)
    assert not ALWAYS.holds(FOREVER_US)


def test_spans_that_touch_do_not_overlap():
    assert not Span(0, 10).overlaps(Span(10, 20))
    assert Span(0, 11).overlaps(Span(10, 20))
