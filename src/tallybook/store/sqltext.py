"""SQL lives in `.sql` files beside the verb that runs it; this reads them, once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql_text(package: str, name: str) -> str:
    """The text of ``name.sql`` in the folder of ``package``, under a line that names it.

    By that name an engine finds what was proven of it (`tallybook.store.golden`).

    Args:
        package: the calling room, ``__package__``.
        name: the file's name without ``.sql``.
    """
    text = files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return f"-- {package.rpartition('.')[2]}/{name}\n{text}"
