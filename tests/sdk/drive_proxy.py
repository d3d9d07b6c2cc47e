"""Run in the environment ``litellm``: the real proxy, our callback named in its configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from sdk import bodies
from sdk.endpoint import Endpoint, as_events, as_json

CHAT = "/v1/chat/completions"
CONFIG = """
model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o-mini, api_base: %s/v1, api_key: sk-provider-secret}
litellm_settings:
  callbacks: tallybook.sdk.litellm.logger
"""


def post(port, body, **headers):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{CHAT}",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer caller-secret", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code


def wait_for(port, process):
    for _ in range(900):
        assert process.poll() is None, "the proxy has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError


def wait_for_lines(spool, count):
    for _ in range(300):
        found = [line for path in spool.glob("*") for line in path.read_text().splitlines()]
        if len(found) >= count:
            return
        time.sleep(0.1)


def drive(port, endpoint):
    asked = {"model": "chat", "messages": [{"role": "user", "content": bodies.PROMPT}]}
    seen = {}
    endpoint.add(CHAT, as_json(bodies.chat("p-call")))
    seen["call"] = json.loads(post(port, {**asked, "metadata": {"tags": ["team:support"]}}))["id"]
    chunks = bodies.chat_chunks(usage=True, response_id="p-stream")
    endpoint.add(CHAT, as_events(*chunks, done=True))
    streamed = post(port, {**asked, "stream": True}, **{"x-litellm-tags": "feature:bot"})
    seen["stream"] = "[DONE]" in streamed
    endpoint.add(CHAT, as_json({"error": {"message": "no"}}, 400))
    seen["failure"] = post(port, asked)
    return seen


def main(folder):
    with Endpoint() as endpoint:
        config = folder / "config.yaml"
        config.write_text(CONFIG % endpoint.url)
        port = int(endpoint.url.rpartition(":")[2]) + 1
        litellm = Path(sys.executable).parent / "litellm"
        with (folder / "proxy.log").open("wb") as log:
            process = subprocess.Popen(
                [litellm, "--config", config, "--port", str(port), "--host", "127.0.0.1"],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                wait_for(port, process)
                seen = drive(port, endpoint)
                wait_for_lines(Path(os.environ["TALLYBOOK_SPOOL"]), 3)
            finally:
                process.terminate()
                process.wait()
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


main(Path(sys.argv[1]))
