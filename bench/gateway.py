"""The gateway beside nginx as a plain proxy: the same load on each in turn, ratios of CPU time.

Load comes from wrk. Without nginx a plain TCP proxy of asyncio stands in, which does far less; the
name of what was measured says so. Without wrk only latencies are measured. Portkey's gateway stands
beside where TALLYBOOK_BENCH_PORTKEY names a folder into which npm installed it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.figures import Figure
from bench.gateway_upstream import CHUNKS
from bench.portkey import LEAST, WARM_S, as_portkey_takes_it, command_of
from tallybook.gateway.keyring import issue
from tallybook.gateway.model import VirtualKey

ROUNDS, QUICK_ROUNDS = 5, 2
SECONDS, QUICK_SECONDS = 4, 2
CALLS, QUICK_CALLS = 1500, 400
CONNECTIONS = 32
US = 1_000_000
MS = 1000
HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "User-Agent": "OpenAI/Python 3.54.0",
    "X-Stainless-Lang": "python",
    "X-Stainless-Package-Version": "3.54.0",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Runtime": "CPython",
    "X-Stainless-Runtime-Version": "3.11.7",
    "X-Stainless-Async": "false",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Read-Timeout": "600",
    "OpenAI-Organization": "org-bench",
    "OpenAI-Project": "proj-bench",
}
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "word " * 60}]}
STREAMED = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
PACED = {**STREAMED, "user": "paced"}
"""A stream whose chunks come one by one, each with the moment at which it was sent."""
SENT = re.compile(rb'"sent_ns":([0-9]+)')
FIRST_BYTE_MS = 0.5
PATH = "/v1/chat/completions"
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream up {{ server 127.0.0.1:{to}; keepalive 256; }}
  server {{ listen 127.0.0.1:{port}; keepalive_requests 100000000; location / {{
    proxy_pass {scheme}://up; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_buffering off; proxy_ssl_session_reuse on; }} }} }}
"""
RELAY = """
import asyncio, sys
async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
async def serve(reader, writer):
    other = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    await asyncio.gather(pump(reader, other[1]), pump(other[0], writer))
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


class Proxy:
    """Something between load and provider: where it listens, whose CPU time it is."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes] | None) -> None:
        self.name = name
        self.port = port
        self._process = process

    def cpu_s(self) -> float:
        """CPU seconds of its processes so far."""
        return sum(map(_cpu_s, _family(self._process.pid))) if self._process else 0.0


def figures(*, quick: bool) -> Sequence[Figure]:
    """Everything, in pairs in one run."""
    rounds, seconds, calls = (
        (QUICK_ROUNDS, QUICK_SECONDS, QUICK_CALLS) if quick else (ROUNDS, SECONDS, CALLS)
    )
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tallybook-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        secret = issue(
            folder / "keys.json",
            VirtualKey(id="vk", digest="", hint="", issued_us=1, teams=("a",), features=("f",)),
        )
        plain = stack.enter_context(_provider(folder, tls=False))
        direct = Proxy("direct", plain, None)
        other = stack.enter_context(_other(folder, plain, tls=False))
        ours = stack.enter_context(_ours(folder, plain, tls=False))
        if shutil.which("wrk"):
            for what, body, most in (("JSON", ASKED, 2.5), ("stream of 60", STREAMED, 1.5)):
                pairs = _pairs(folder, (other, ours), body, secret, rounds, seconds)
                found += _compared(what, other.name, pairs, most)
            if shutil.which("nginx"):
                found += _over_tls(folder, secret, rounds, seconds)
            found += _two_processes(folder, plain, ours, secret, rounds, seconds)
            found += _beside_portkey(folder, plain, ours, secret, quick=quick)
        found += _latencies((direct, other, ours), secret, calls)
    return found


def _two_processes(
    folder: Path, to: int, one: Proxy, secret: str, rounds: int, seconds: int
) -> list[Figure]:
    """What two processes can do, by the CPU time that a call takes them; two cores would do it."""
    with _ours(folder, to, tls=False, workers=2) as two:
        pairs = _pairs(folder, (two, one), ASKED, secret, rounds, seconds)
    ratio = statistics.median(2 * alone / shared for shared, alone in pairs)
    return [Figure("two processes, as a multiple of one, by CPU time", ratio, "x", least=1.7)]


def _beside_portkey(
    folder: Path, to: int, ours: Proxy, secret: str, *, quick: bool
) -> list[Figure]:
    """Portkey's gateway under the same load; nothing where it is not installed."""
    port = _free_port()
    command = command_of(port)
    if not command:
        print("Portkey is not installed (TALLYBOOK_BENCH_PORTKEY): left out", file=sys.stderr)
        return []
    with _running(*_on_core(0), *command) as process:
        _wait(port)
        other = Proxy("Portkey", port, process)
        headers = as_portkey_takes_it(f"http://127.0.0.1:{to}/v1")
        _load(folder, other, ASKED, secret, WARM_S // (10 if quick else 1), headers)
        seconds = QUICK_SECONDS if quick else SECONDS
        pairs = [
            (
                _load(folder, ours, ASKED, secret, seconds),
                _load(folder, other, ASKED, secret, seconds, headers),
            )
            for _ in range(QUICK_ROUNDS if quick else ROUNDS)
        ]
    return [
        Figure("JSON: Portkey, warmed", statistics.median(theirs for _, theirs in pairs), "us CPU"),
        Figure(
            "  as a multiple of the gateway",
            statistics.median(theirs / own for own, theirs in pairs),
            "x",
            least=LEAST,
        ),
    ]


def _over_tls(folder: Path, secret: str, rounds: int, seconds: int) -> Sequence[Figure]:
    with ExitStack() as stack:
        to = stack.enter_context(_provider(folder, tls=True))
        other = stack.enter_context(_other(folder, to, tls=True))
        ours = stack.enter_context(_ours(folder, to, tls=True))
        pairs = _pairs(folder, (other, ours), ASKED, secret, rounds, seconds)
        return _compared("JSON, HTTPS upstream", other.name, pairs, 2.5)


def _compared(
    what: str, other: str, pairs: Sequence[tuple[float, float]], most: float
) -> list[Figure]:
    ratios = sorted(one / base for base, one in pairs)
    return [
        Figure(f"{what}: {other}", statistics.median(base for base, _ in pairs), "us CPU"),
        Figure(f"{what}: gateway", statistics.median(one for _, one in pairs), "us CPU"),
        Figure("  as a multiple, median of pairs", statistics.median(ratios), "x", most=most),
        Figure("  lowest pair", ratios[0], "x"),
        Figure("  highest pair", ratios[-1], "x"),
    ]


def _pairs(
    folder: Path,
    proxies: tuple[Proxy, Proxy],
    body: Mapping[str, object],
    secret: str,
    rounds: int,
    seconds: int,
) -> list[tuple[float, float]]:
    for proxy in proxies:
        _load(folder, proxy, body, secret, 1)
    found = []
    for _ in range(rounds):
        one, other = (_load(folder, proxy, body, secret, seconds) for proxy in proxies)
        found.append((one, other))
    return found


def _load(
    folder: Path,
    proxy: Proxy,
    body: Mapping[str, object],
    secret: str,
    seconds: int,
    more: Mapping[str, str] | None = None,
) -> float:
    """CPU microseconds for each call, under load from wrk."""
    script = folder / "load.lua"
    headers = {**HEADERS, "Authorization": f"Bearer {secret}", **(more or {})}
    lines = [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()
    ]
    script.write_text(
        "\n".join(['wrk.method = "POST"', f"wrk.body = {json.dumps(json.dumps(body))}", *lines])
    )
    before = proxy.cpu_s()
    done = subprocess.run(
        [
            *_on_core(1),
            *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", script),
            f"http://127.0.0.1:{proxy.port}{PATH}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise AssertionError(f"{proxy.name}: {done.stdout}")
    told = (line.split()[0] for line in done.stdout.splitlines() if " requests in " in line)
    count = int(next(told))
    return (proxy.cpu_s() - before) / count * US


def _latencies(proxies: Sequence[Proxy], secret: str, calls: int) -> list[Figure]:
    """Median waiting of one caller, one call after another; the three in turn."""
    took: dict[tuple[str, str], list[float]] = {}
    with _beside_the_provider():
        for _ in range(4):
            for proxy in proxies:
                for what, waits in _WAITS.items():
                    took.setdefault((proxy.name, what), []).extend(
                        waits(proxy.port, secret, calls // 4)
                    )
    found = []
    for what in _WAITS:
        base, *others = (statistics.median(took[proxy.name, what]) * MS for proxy in proxies)
        other, ours = (one - base for one in others)
        most = other + FIRST_BYTE_MS if what == FIRST_BYTE else 2 * max(other, 0.0)
        found += [
            Figure(f"waiting for {what}, p50: direct", base, "ms"),
            Figure(f"  added by {proxies[1].name}", other, "ms"),
            Figure(f"  added by {proxies[2].name}", ours, "ms", most=round(most, 3)),
        ]
    return found


def _for_the_answer(port: int, secret: str, calls: int) -> Iterator[float]:
    return _asked(port, ASKED, secret, calls, first=False)


def _for_the_first_byte(port: int, secret: str, calls: int) -> Iterator[float]:
    return _asked(port, STREAMED, secret, calls, first=True)


def _for_each_chunk(port: int, secret: str, calls: int) -> Iterator[float]:
    """From the moment at which the provider sends a chunk, on the clock of this machine."""
    sent = _request(PACED, secret)
    with _caller(port) as caller:
        for _ in range(max(calls // CHUNKS, 1)):
            caller.sendall(sent)
            got = b""
            while not _is_whole(got):
                piece = caller.recv(65536)
                now_ns = time.monotonic_ns()
                got += piece
                yield from ((now_ns - int(at)) / 1e9 for at in SENT.findall(piece))


FIRST_BYTE = "the first byte of a stream"
_WAITS = {
    "the answer": _for_the_answer,
    FIRST_BYTE: _for_the_first_byte,
    "a chunk of a stream": _for_each_chunk,
}


def _request(body: Mapping[str, object], secret: str) -> bytes:
    data = json.dumps(body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: gw\r\n{head}Authorization: Bearer {secret}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    ).encode() + data


def _caller(port: int) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", port))
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return caller


def _asked(
    port: int, body: Mapping[str, object], secret: str, calls: int, *, first: bool
) -> Iterator[float]:
    sent = _request(body, secret)
    with _caller(port) as caller:
        for _ in range(calls):
            begun_s = time.perf_counter()
            caller.sendall(sent)
            got = caller.recv(65536)
            first_s = time.perf_counter()
            while not _is_whole(got):
                got += caller.recv(65536)
            yield (first_s if first else time.perf_counter()) - begun_s


def _is_whole(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    if not found:
        return False
    low = head.lower()
    if b"chunked" in low:
        return body.endswith(b"0\r\n\r\n")
    _, _, length = low.partition(b"content-length:")
    return len(body) >= int(length.split(b"\r\n", 1)[0])


@contextmanager
def _beside_the_provider() -> Iterator[None]:
    """Leave the proxies their core: who waits must not stand in their way."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[1 % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _provider(folder: Path, *, tls: bool) -> Iterator[int]:
    port = _free_port()
    more = [str(one) for one in _certificate(folder)] if tls else []
    with _running(*_on_core(1), sys.executable, "-m", "bench.gateway_upstream", port, *more):
        _wait(port)
        yield port


@contextmanager
def _other(folder: Path, to: int, *, tls: bool) -> Iterator[Proxy]:
    port = _free_port()
    if shutil.which("nginx"):
        path = folder / f"nginx-{port}.conf"
        scheme = "https" if tls else "http"
        path.write_text(NGINX.format(folder=folder, to=to, port=port, scheme=scheme))
        name, command = "nginx", ["nginx", "-c", str(path)]
    else:
        name = "a plain TCP proxy of asyncio, for want of nginx"
        command = [sys.executable, "-c", RELAY, str(port), str(to)]
    with _running(*_on_core(0), *command) as process:
        _wait(port)
        yield Proxy(name, port, process)


@contextmanager
def _ours(folder: Path, to: int, *, tls: bool, workers: int = 1) -> Iterator[Proxy]:
    port = _free_port()
    path = folder / f"gateway-{port}.yaml"
    upstream = {
        "name": "openai",
        "kind": "openai",
        "url": f"{'https' if tls else 'http'}://127.0.0.1:{to}",
        "key_env": "TALLYBOOK_BENCH_KEY",
        **({"ca_file": str(_certificate(folder)[0])} if tls else {}),
    }
    config = {
        "listen": f"127.0.0.1:{port}",
        "workers": workers,
        "spool": f"spool-{port}",
        "keys": "keys.json",
        "default": "openai",
        "upstreams": [upstream],
    }
    path.write_text(json.dumps(config))
    main = "from tallybook.cli.main import main; main()"
    command = [sys.executable, "-c", main, "gateway", "--config", str(path)]
    environment = {**os.environ, "TALLYBOOK_BENCH_KEY": "sk-bench"}
    core = _on_core(0) if workers == 1 else []
    with _running(*core, *command, environment=environment) as process:
        _wait(port)
        yield Proxy("gateway", port, process)


@contextmanager
def _running(
    *command: object, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    words = [str(word) for word in command]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _on_core(number: int) -> list[str]:
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[number % len(cores)])] if shutil.which("taskset") else []


def _certificate(folder: Path) -> tuple[Path, Path]:
    made = (folder / "cert.pem", folder / "key.pem")
    if not made[0].is_file():
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
                *("ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made[1], "-out", made[0]),
            ],
            capture_output=True,
            check=True,
        )
    return made


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nothing listens on port {port}")


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    below = [int(one) for one in path.read_text().split()] if path.exists() else []
    return [pid, *(each for one in below for each in _family(one))]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
