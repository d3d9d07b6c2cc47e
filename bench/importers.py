"""How fast a product's log becomes claimed events: made-up rows as LiteLLM writes them."""

from __future__ import annotations

import json
import random
import secrets
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.figures import Figure
from bench.measure import measure
from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.registry import open_product
from tallybook.store import Store

ROWS = 100_000
ROWS_QUICK = 40_000
LEAST_PER_S = 20_000
NOW_US = 1_790_900_000_000_000
KEYS = 50
TEAMS = 20


def importer_figures(folder: Path, repeat: int, *, quick: bool) -> list[Figure]:
    """Rows a second and core of one file, read, claimed among no others, written and fsynced."""
    rows = ROWS_QUICK if quick else ROWS
    home = folder / f"importers-{rows}"
    home.mkdir(parents=True, exist_ok=True)
    path = home / "litellm.jsonl"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        write_rows(partial, rows)
        partial.rename(path)
    took = measure("litellm", home, range(repeat))
    if took.result != {"accepted": rows, "rejected": 0}:
        raise AssertionError(f"of {rows} rows ingest brought in {took.result}")
    what = f"ingest litellm, {rows:,} rows of {path.stat().st_size // rows:,} bytes, per core"
    return [Figure(what, rows / took.cpu_s, "rows/s", least=LEAST_PER_S)]


def litellm(home: Path, _stack: ExitStack, number: int) -> Callable[[], dict[str, int]]:
    """Prepare new books; the act brings the whole file into them."""
    books = home / f"books-{number}"
    shutil.rmtree(books, ignore_errors=True)
    store = Store.create(books)
    source = open_product("litellm", [home / "litellm.jsonl"])

    def act() -> dict[str, int]:
        result = ingest(
            store,
            source,
            clock=FixedClock(NOW_US),
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=books / "rejects",
        )
        return {"accepted": result.accepted, "rejected": result.rejected}

    return act


def write_rows(path: Path, rows: int) -> None:
    """Spend logs as a pub/sub topic carries them: objects as JSON text."""
    chance = random.Random(rows)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(_row(n, chance)) + "\n" for n in range(rows))


def _row(n: int, chance: random.Random) -> dict[str, object]:
    prompt, output = chance.randrange(100, 5000), chance.randrange(1, 900)
    cached, key, team = chance.randrange(prompt) // 2, n % KEYS, n % TEAMS
    second = f"{n // 60 % 60:02d}:{n % 60:02d}.{chance.randrange(10**6):06d}"
    day = f"2026-10-{1 + n // 3600 % 28:02d}"
    totals = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    return {
        "request_id": f"chatcmpl-{n:08d}{chance.getrandbits(80):020x}",
        "session_id": f"{chance.getrandbits(64):016x}",
        "call_type": "acompletion",
        "api_key": f"88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b{key:02x}",
        "cache_hit": "None",
        "startTime": f"{day} 09:{second}",
        "endTime": f"{day} 10:{second}",
        "completionStartTime": f"{day} 10:{second}",
        "model": "gpt-4o",
        "user": f"user-{chance.randrange(300)}",
        "team_id": f"team-{team}",
        "organization_id": "",
        "metadata": json.dumps(_metadata(key, team, totals, cached)),
        "cache_key": "Cache OFF",
        "spend": (prompt - cached) * 2.5e-6 + cached * 1.25e-6 + output * 1e-5,
        **totals,
        "request_tags": json.dumps([f"feature:feature-{n % 200}", "User-Agent: OpenAI/Python"]),
        "end_user": "",
        "api_base": "https://api.openai.com",
        "model_group": "gpt-4o",
        "model_id": "deployment-1",
        "requester_ip_address": None,
        "custom_llm_provider": "openai",
        "messages": "{}",
        "response": "{}",
        "proxy_server_request": "{}",
        "status": "success",
        "mcp_namespaced_tool_name": None,
        "agent_id": None,
    }


def _metadata(key: int, team: int, totals: dict[str, int], cached: int) -> dict[str, object]:
    absent = (
        *("user_api_key_org_id", "requester_ip_address", "applied_guardrails", "batch_models"),
        *("mcp_tool_call_metadata", "vector_store_request_metadata", "guardrail_information"),
        *("attempted_fallbacks", "original_model_group", "error_information", "max_retries"),
        *("attempted_retries", "proxy_server_request", "cold_storage_object_key"),
    )
    details = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0}
    return {
        **dict.fromkeys(absent),
        "user_api_key_alias": f"service-{key}",
        "user_api_key_team_id": f"team-{team}",
        "user_api_key_team_alias": f"Team {team}",
        "spend_logs_metadata": {"purpose": "production"},
        "status": "success",
        "usage_object": {
            **totals,
            "completion_tokens_details": details,
            "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": cached},
        },
        "model_map_information": {
            "model_map_key": "gpt-4o",
            "model_map_value": {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05},
        },
        "additional_usage_values": {"prompt_tokens_details": {"cached_tokens": cached}},
    }
