"""SQL lives in `.sql` files beside the verb that runs it; this reads them, once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql_text(package: str, name: str) -> str:
    """The text of ``name.sql`` in the folder of ``package``.

    Args:
        package: the calling room, ``__package__``.
        name: the file's name without ``.sql``.
    """
    return files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")
