"""The gateway between a caller and a provider: any bytes on either side, cut anywhere.

``python -m fuzz.passing [folder of seeds] [options of libFuzzer]``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tallybook.gateway"]):
    from fuzz.stage import Stage

FOLDER = tempfile.TemporaryDirectory()
STAGE = Stage(Path(FOLDER.name))
GOOD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer "
    + STAGE.secret.encode()
    + b"\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def one(data: bytes) -> None:
    """One input: what is random (a head, a body, an answer), where it is cut, and the bytes."""
    choice = atheris.FuzzedDataProvider(data)
    kind = choice.ConsumeIntInRange(0, 3)
    cut = choice.ConsumeIntInRange(0, 400)
    body = choice.ConsumeBytes(choice.remaining_bytes())
    if kind == 0:
        said, answers = body, [ANSWER + b"Content-Length: 2\r\n\r\n{}"] * 3
    elif kind == 1:
        said, answers = GOOD + body, [ANSWER + b"Content-Length: 2\r\n\r\n{}"] * 3
    else:
        said = GOOD + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        answers = [body if kind == 2 else ANSWER + body]  # noqa: PLR2004
    whole = STAGE.played([said], answers)
    if kind <= 1 and STAGE.played([said[:cut], said[cut:]], answers) != whole:
        raise AssertionError("what is heard depends on how it was cut")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
