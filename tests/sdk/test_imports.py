"""The hook is loaded in other people's processes: fast, and without databases and engines."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ["duckdb", "pyarrow", "sqlalchemy", "alembic", "pydantic", "jinja2", "yaml", "fsspec"]
SEEN = f"""
import json, sys
import tallybook.sdk
print(json.dumps([name for name in {[*HEAVY, "httpx2", "httpx", "litellm"]!r} if name in sys.modules]))
"""
USED = f"""
import json, sys, tempfile
import httpx2
import tallybook.sdk
tallybook.sdk.configure(spool=__import__("pathlib").Path(tempfile.mkdtemp()))
answer = lambda request: httpx2.Response(200, json={{"id": "r", "usage": {{"prompt_tokens": 1}}}})
with tallybook.sdk.client(transport=httpx2.MockTransport(answer)) as http:
    http.post("https://api.openai.com/v1/chat/completions", json={{"model": "gpt-4o"}})
assert tallybook.sdk.health() == {{"observed": 1, "spooled": 1}}, tallybook.sdk.health()
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def told(script):
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_importing_the_hook_loads_nothing_heavy():
    assert told(SEEN) == []


def test_metering_a_call_loads_nothing_heavy():
    assert told(USED) == []
