"""The recorded responses of the shared data, and the bodies of genai-prices; () when absent."""

from __future__ import annotations

import json
from pathlib import Path

DATA = Path(__file__).parents[4] / "shared" / "data"
RESPONSES = DATA / "provider_responses"
BODIES = DATA / "genai_prices" / "usages.json"


def entries():
    index = RESPONSES / "index.json"
    return json.loads(index.read_bytes())["entries"] if index.is_file() else []


def call(entry):
    """The arguments with which an entry is read."""
    return {
        "provider": entry["provider"],
        "endpoint": entry["endpoint"],
        "wire": entry["wire"],
        "headers": entry["response_headers"] or {},
        "model": entry["model_requested"] or entry.get("model_in_path") or "",
    }


def body(entry):
    return (RESPONSES / entry["file"]).read_bytes()
