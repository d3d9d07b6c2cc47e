"""hledger itself, which comes from the packages of the system.

Where it is not installed, its package is fetched with the system's own client and unpacked into
``.venv-hledger``, without installing it. Where that cannot be done either, the tests that ask are
skipped, with the reason; with ``CI=true`` in the environment they fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / ".venv-hledger"
_FETCH_S = 300


def hledger() -> Path:
    """The program."""
    found = shutil.which("hledger")
    if found:
        return Path(found)
    program = FOLDER / "usr" / "bin" / "hledger"
    with (PROJECT / ".venv-hledger.making").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not program.is_file():
            _fetch()
    return program


def _fetch() -> None:
    FOLDER.mkdir(exist_ok=True)
    last = None
    for commands in ((), (("apt-get", "update"),)):
        for command in (*commands, ("apt-get", "download", "hledger")):
            last = _done(*command)
        packages = sorted(FOLDER.glob("hledger_*.deb"))
        if packages:
            _done("dpkg-deb", "-x", packages[-1].name, ".")
            packages[-1].unlink()
            last = _done("usr/bin/hledger", "--version")
            if last is not None and last.returncode == 0:
                return
    reason = f"hledger cannot be had: {last.stderr.strip()[-300:] if last else 'no apt-get'}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _done(*command: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FETCH_S, cwd=FOLDER
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
