"""A key that shows itself to nobody but the request that needs it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tallybook.errors import PullError

HIDDEN = "[key]"


class Key:
    """A secret from the environment or a file. Printed, it is hidden; it is never pickled.

    Args:
        text: what the provider gave.
        source: where it was found, for messages.

    Raises:
        PullError: it is empty, or holds what no key holds.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str, source: str) -> None:
        self._text = text.strip()
        if not self._text or not self._text.isascii() or not self._text.isprintable():
            raise PullError(
                f"the key in {source} is empty, or not one line of plain text",
                next_step="copy it again from the provider's console",
            )

    def __repr__(self) -> str:
        return f"Key({HIDDEN})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not stored")

    def reveal(self) -> str:
        """The key itself, for the header of a request."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """A text in which the key, or a part of it, is not to be seen."""
        for secret in (self._text, *filter(None, self._text.split(":"))):
            text = text.replace(secret, HIDDEN)
        return text


def key_from(
    names: tuple[str, ...], file: Path | None, environment: Mapping[str, str] | None = None
) -> Key:
    """The key of a file, else of the environment.

    Args:
        names: environment variables; several are joined by a colon.
        file: holds the key and nothing else.
        environment: instead of this process's own.

    Raises:
        PullError: there is none.
    """
    if file is not None:
        try:
            return Key(file.read_text(encoding="utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise PullError(f"the key cannot be read: {reason}", where=str(file)) from None
    known = os.environ if environment is None else environment
    missing = [name for name in names if not known.get(name)]
    if missing:
        raise PullError(
            f"{' and '.join(missing)} not set",
            next_step="put the key into the environment, or name a file with --key-file",
        )
    return Key(":".join(known[name] for name in names), " and ".join(names))
