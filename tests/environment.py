"""Environments of their own for packages that tests drive as they are.

``environment("otel")`` is the Python of ``.venv-otel``, made from ``requirements/otel.txt`` when it
is first asked for and kept as long as that lock stands. Tests run scripts with it in a process of
their own, so what those packages need never meets what we need.

Making one takes a registry of packages. Where none can be reached the tests that ask are skipped,
with the reason; with ``CI=true`` in the environment they fail.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
_INSTALL = ("-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes")
_INSTALL_S = 600


def environment(name: str, *options: str) -> Path:
    """The Python of an environment.

    Args:
        name: of the lock in ``requirements`` and of the group in ``pyproject.toml``.
        options: more of them for pip, where a package needs them to be installed.
    """
    lock = PROJECT / "requirements" / f"{name}.txt"
    folder = PROJECT / f".venv-{name}"
    python = folder / "bin" / "python"
    stamp = folder / ".lock-digest"
    wanted = (
        sha256(lock.read_bytes()).hexdigest()
        + f" {sys.version_info.major}.{sys.version_info.minor}"
    )
    with _one_at_a_time(PROJECT / f".venv-{name}.making"):
        if not (stamp.is_file() and stamp.read_text() == wanted):
            _run(name, sys.executable, "-m", "venv", "--clear", str(folder))
            _run(name, str(python), *_INSTALL, *options, "-r", str(lock))
            stamp.write_text(wanted)
    return python


def _run(name: str, *command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_INSTALL_S, cwd=PROJECT
    )
    if done.returncode:
        reason = f"the environment {name!r} cannot be made: {done.stderr.strip()[-400:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Workers of one test run, and of several, make an environment once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
