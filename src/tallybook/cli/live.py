"""`live`, `alerts`: what usage costs while it happens, and what runs away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from tallybook.cli.app import App, note, table
from tallybook.cli.options import json_option
from tallybook.clock import Stopping, format_instant, told_by_signals
from tallybook.errors import StoreError
from tallybook.live.alerts import acknowledge
from tallybook.live.alerts import alerts as kept_alerts
from tallybook.live.answer import ROWS_SHOWN
from tallybook.live.form import alert_text, alert_values, live_values
from tallybook.live.look import Look, Watch
from tallybook.live.model import Alert, Burn, Live, Row
from tallybook.money import format_cents, format_ratio, format_share, half_even

_PICO_PER_CENT = 10**10
_KEEP_UP_S = 0.25
_SHOWN = 15


@click.command()
@click.option("--watch", is_flag=True, help="Answer again and again until Ctrl-C; tell of alerts.")
@click.option(
    "--every", type=click.FloatRange(min=0.5), default=5.0, show_default=True, metavar="SECONDS",
    help="How often --watch answers.",
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(min=0), default=None,
    help=f"Features and agents that are listed one by one, {_SHOWN} unless told, {ROWS_SHOWN} with"
    " --json; 0 lists all.",
)  # fmt: skip
@json_option
@click.pass_obj
def live(app: App, *, watch: bool, every: float, top: int | None) -> None:
    """What this month and the last hour cost so far, by origin feature and by causing agent.

    Provisional: usage counts as soon as it is in, before it is settled, and nothing is posted.
    With --watch alerts go to standard error, and to the webhook and by mail where they are set.

    Example:  tallybook live
              tallybook live --json --top 0
              tallybook live --watch --every 2
    """
    listed = ROWS_SHOWN if app.as_json else _SHOWN
    most = listed if top is None else top
    with Watch(app.store, app.clock) as watching:
        if not watch:
            _show(app, watching.look(most))
            return
        _watch(app, watching, every, most)


def _watch(app: App, watching: Watch, every: float, top: int) -> None:
    from tallybook.cli.deliver import Delivery  # noqa: PLC0415 - only who watches sends

    delivery = Delivery.of_environment(app.store, app.clock)
    note(f"watching {app.home}; Ctrl-C ends it. Alerts go to {delivery.told}")
    with told_by_signals() as stop:
        _again(app, watching, delivery.deliver, stop, every, top)


def _again(
    app: App,
    watching: Watch,
    deliver: Callable[[], None],
    stop: Stopping,
    every: float,
    top: int,
) -> None:
    while not stop.is_set():
        try:
            _show(app, watching.look(top))
            deliver()
            for _ in range(max(1, int(every / _KEEP_UP_S))):
                if stop.wait(_KEEP_UP_S):
                    return
                if fired := watching.keep_up():
                    _tell(fired)
                    deliver()
        except StoreError as error:
            note(f"tallybook: {error}")
            stop.wait(every)


def _show(app: App, look: Look) -> None:
    app.answer(live_values(look.live), _text(look.live))
    _tell(look.fired)


def _tell(fired: Sequence[Alert]) -> None:
    for alert in fired:
        note(f"alert {alert.id}: {alert_text(alert)}")


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that were acknowledged.")
@json_option
@click.pass_context
def alerts(ctx: click.Context, *, every: bool) -> None:
    """What ran away: loops, retry storms, fan-out and spend beyond what is usual.

    Alerts are given by whoever asks: `live`, a watch, or the server.

    Example:  tallybook alerts
              tallybook alerts ack 3 --reason "stopped the importer"
    """
    if ctx.invoked_subcommand:
        return
    app: App = ctx.obj
    found = kept_alerts(app.store, every=every)
    app.answer([alert_values(one) for one in found], _alerts_text(found))


@alerts.command()
@click.argument("alert", metavar="ID", type=int)
@click.option("--reason", required=True, help="What was found or done.")
@json_option
@click.pass_obj
def ack(app: App, alert: int, reason: str) -> None:
    """Say that somebody looks after an alert, and why it is settled.

    Example:  tallybook --as dana alerts ack 3 --reason "stopped the importer"
    """
    found = acknowledge(app.store, alert, reason, app.actor, app.clock.now_us())
    app.answer(alert_values(found), f"alert {found.id} acknowledged by {found.acked_by}")


def _alerts_text(found: list[Alert]) -> str:
    if not found:
        return "no alert is open"
    lines = []
    for one in found:
        acked = f"\n     acknowledged by {one.acked_by}: {one.reason}" if one.acked_us else ""
        lines.append(f"{one.id:>4}  {format_instant(one.fired_us)}  {alert_text(one)}{acked}")
    return "\n".join(lines)


def _text(live: Live) -> str:
    month, hour, waits = live.month, live.hour, live.provisional
    head = [
        f"{live.period}, {live.currency}, at {format_instant(live.at_us)}: provisional",
        (
            f"  month to date  {_money(month.cost_pico):>14}   {month.calls:,} calls,"
            f" {month.tokens:,} tokens"
        ),
        f"  last hour      {_money(hour.cost_pico):>14}   {hour.calls:,} calls; {_burn(live.burn)}",
        (
            f"  not known: unallocated {format_share(live.unallocated.cost_pico, month.cost_pico)}"
            f" of cost ({live.unallocated.calls:,} calls), unpriced {month.unpriced:,} calls,"
            f" unknown {month.unknown:,} calls, estimated {month.estimated:,} calls"
        ),
        f"  waiting: {waits.tally.calls:,} calls, {_money(waits.tally.cost_pico)}, not settled yet"
        + (f"; {waits.joined:,} told of twice" if waits.joined else "")
        + (f"; {waits.corrections:,} corrections left out" if waits.corrections else "")
        + (f"; {waits.elsewhere:,} of other months" if waits.elsewhere else "")
        + (f"; {waits.ahead.calls:,} of the future" if waits.ahead.calls else ""),
    ]
    parts = ["\n".join(head)]
    if live.features:
        rows = [[*_cells(row, row.team, row.feature), _times(row.burn)] for row in live.features]
        names = ("team", "feature", "last hour", "month", "calls", "x usual")
        parts.append(table(names, rows, (2, 3, 4, 5)))
    if live.agents:
        rows = [_cells(row, row.agent or "(none told)") for row in live.agents]
        parts.append(table(("agent", "last hour", "month", "calls"), rows, (1, 2, 3)))
    if live.traces:
        dear = [
            [one.trace, f"{one.team}/{one.feature}", one.agent, _money(one.tally.cost_pico),
             f"{one.tally.calls:,}"]
            for one in live.traces
        ]  # fmt: skip
        parts.append(table(("trace", "feature", "agent", "cost", "calls"), dear, (3, 4)))
    return "\n\n".join(parts)


def _cells(row: Row, *who: str) -> list[str]:
    named = [f"({row.others} others)", *[""] * (len(who) - 1)] if row.others else [*who]
    return [
        *named, _money(row.hour.cost_pico), _money(row.month.cost_pico), f"{row.month.calls:,}"
    ]  # fmt: skip


def _burn(burn: Burn) -> str:
    if burn.usual is None:
        return "nothing earlier to compare with"
    mean = half_even(burn.usual.cost_pico.numerator, burn.usual.cost_pico.denominator)
    times = _times(burn)
    return f"usually {_money(mean)} (mean of {burn.usual.hours} earlier {burn.usual.like})" + (
        f", now {times} times that" if times else ""
    )


def _times(burn: Burn | None) -> str:
    times = burn.times if burn else None
    return format_ratio(times.numerator, times.denominator, 1) if times is not None else ""


def _money(pico: int) -> str:
    return format_cents(half_even(pico, _PICO_PER_CENT), grouped=True)
