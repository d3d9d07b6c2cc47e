"""What the manifest should say of a sealed file, from the file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tallybook.errors import CorruptedError
from tallybook.store.lake import Lake
from tallybook.store.seal import DESCRIBED, SealedFile, described


def described_file(lake: Lake, file: SealedFile) -> dict[str, Any]:
    """The fields of `SealedFile` that speak of rows, read from the rows.

    Raises:
        CorruptedError: the file cannot be read.
    """
    try:
        return described(pq.read_table(lake.path(file), columns=list(DESCRIBED)))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise CorruptedError(
            f"a sealed file of {file.rows} events cannot be read: {error}",
            where=str(lake.path(file)),
            next_step="restore this file from a backup",
        ) from error
