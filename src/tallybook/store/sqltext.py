"""SQL lives in `.sql` files beside the verb that runs it; this reads them, once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql_text(package: str, name: str, dialect: str = "") -> str:
    """The text of ``name.sql`` in the folder of ``package``, under a line that names it.

    By that name an engine finds what was proven of it (`tallybook.store.golden`).

    Args:
        package: the calling room, ``__package__``.
        name: the file's name without ``.sql``.
        dialect: of the book, where it needs words of its own: ``name.<dialect>.sql``, if there is
            one, stands for ``name.sql``.
    """
    own = files(package).joinpath(f"{name}.{dialect}.sql")
    chosen = own if dialect and own.is_file() else files(package).joinpath(f"{name}.sql")
    text = chosen.read_text(encoding="utf-8")
    return f"-- {package.rpartition('.')[2]}/{name}\n{text}"
