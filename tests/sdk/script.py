"""Scripts that run in an environment of their own, and what they left in the spool."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from environment import PROJECT, environment

TESTS = Path(__file__).parent
TIMEOUT_S = 240


def run_script(name, script, spool, *arguments, **more):
    """Run a script with the Python of an environment; what it printed as its last line, JSON."""
    done = subprocess.run(
        [environment(name), TESTS / script, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(TESTS.parent)]),
            "TALLYBOOK_SPOOL": str(spool),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            **more,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def events_in(spool):
    """Every event of a spool, in the order in which the calls began."""
    found = [json.loads(line) for path in spool.iterdir() for line in path.read_text().splitlines()]
    return sorted(found, key=lambda event: event["started_at"])
