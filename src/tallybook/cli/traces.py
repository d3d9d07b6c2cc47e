"""What `explain` says of a trace: its tree, month by month."""

from __future__ import annotations

import click

from tallybook.cli.app import App
from tallybook.report.graph.trace import traces_of
from tallybook.report.graph.trace_text import trace_json, trace_text


def explain_trace(app: App, trace_id: str, most: int) -> None:
    """Print the tree of a trace for each month that has calls of it."""
    traces = traces_of(app.store, trace_id)
    if app.as_json:
        for piece in trace_json(trace_id, traces):
            click.echo(piece, nl=False)
        click.echo()
    else:
        click.echo("\n".join(trace_text(trace, most) for trace in traces).rstrip("\n"))
