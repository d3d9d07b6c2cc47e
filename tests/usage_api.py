"""A server on this machine that answers as the documented usage APIs do, and fails as asked."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Api:
    """What was asked, and what to answer.

    ``answer`` takes a path and its parameters (a list of pairs) and gives an object. ``failures``
    are served before that, one for each request: a status, (status, headers), "cut" for a body
    that ends too early, "half" for half of the JSON, "packed" for a body that says it is packed
    and is not, "close" for no answer at all.
    """

    def __init__(self, answer):
        self.answer = answer
        self.failures = []
        self.asked = []
        self.headers = []
        self.url = ""

    def params(self, name):
        return [dict(params).get(name) for _, params in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        api = self.server.api
        parts = urlsplit(self.path)
        params = parse_qsl(parts.query)
        api.asked.append((parts.path, params))
        api.headers.append(dict(self.headers))
        failure = api.failures.pop(0) if api.failures else None
        if failure == "close":
            self.close_connection = True
            return None
        status, headers = failure if isinstance(failure, tuple) else (failure, {})
        if isinstance(status, int):
            secret = self.headers.get("Authorization", "") + self.headers.get("x-api-key", "")
            return self._send(status, json.dumps({"error": {"message": secret}}).encode(), headers)
        try:
            body = json.dumps(api.answer(parts.path, params)).encode()
        except LookupError:
            return self._send(400, b'{"error": {"message": "no such page"}}', {})
        if failure in ("half", "packed"):
            told = {"Content-Encoding": "gzip"} if failure == "packed" else {}
            return self._send(200, body[: len(body) // 2], told)
        if failure == "cut":
            self.close_connection = True
            return self._send(200, body[: len(body) // 2], {}, length=len(body))
        return self._send(200, body, {})

    def _send(self, status, body, headers, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(answer):
    api = Api(answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.api = api
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def openai(path, params):
    """Two days a page, whatever the limit; the cursor says from where."""
    told = dict(params)
    groups = [value for name, value in params if name == "group_by[]"]
    start, end = int(told["start_time"]), int(told["end_time"])
    at = int(told["page"].removeprefix("page_")) if "page" in told else start
    if not start <= at <= end:
        raise LookupError(at)
    endpoint = path.rpartition("/")[2]
    name = {"web_search_calls": "web_searches", "file_search_calls": "file_searches"}.get(
        endpoint, endpoint
    )
    result = {
        "object": f"organization.usage.{name}.result", "num_model_requests": 2, "input_tokens": 10,
        "input_cached_tokens": 4, "output_tokens": 5, "images": 1, "characters": 1, "seconds": 1,
        "usage_bytes": 1, "num_sessions": 1, "num_requests": 1,
        **dict.fromkeys(("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")),
        **{group: False if group == "batch" else f"{group}-1" for group in groups},
    }  # fmt: skip
    days = range(at, min(at + 2 * 86_400, end), 86_400)
    data = [
        {"object": "bucket", "start_time": day, "end_time": day + 86_400, "results": [result]}
        for day in days
    ]
    following = at + 2 * 86_400
    more = following < end
    return {
        "object": "page", "data": data, "has_more": more,
        "next_page": f"page_{following}" if more else None,
    }  # fmt: skip
