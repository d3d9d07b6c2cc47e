"""Run focus-validator, in the environment ``focus``: ``python official.py FILE [options]``.

It declares Python 3.12. On 3.11 one line of it does not parse: a backslash inside the braces of an
f-string. That line is spelled otherwise while it is loaded; the rules and all else stay theirs.
It looks for a file of its own in the current folder, so it is started in its package's folder.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path

MODULE = "focus_validator.config_objects.focus_to_duckdb_converter"
THEIRS = rb"""", ".join(f"'{k.replace('\"', '\"\"')}'" for k in ignore_keys)"""
SAME = rb"""", ".join("'" + k.replace('"', '""') + "'" for k in ignore_keys)"""


class Respelled(SourceFileLoader):
    """Reads the module with one line spelled for Python 3.11."""

    def get_data(self, path: str) -> bytes:
        data = super().get_data(path)
        if path.endswith(".py"):
            assert data.count(THEIRS) == 1, "another release: look at the line again"
            data = data.replace(THEIRS, SAME)
        return data


class Finder(PathFinder):
    """Finds the one module."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname != MODULE:
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is not None and spec.origin:
            spec.loader = Respelled(fullname, spec.origin)
        return spec


if __name__ == "__main__":
    file, *options = sys.argv[1:]
    file = str(Path(file).resolve())
    if sys.version_info < (3, 12):
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, Finder)
    package = find_spec("focus_validator")
    assert package is not None
    assert package.origin is not None
    os.chdir(Path(package.origin).parent.parent)
    sys.argv = ["focus-validator", "--data-file", file, *options]
    from focus_validator.main import main

    main()
