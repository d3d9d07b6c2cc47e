"""The manifest's words about a file, read from the file again."""

import pytest

from company import usage
from tallybook.errors import CorruptedError
from tallybook.store.described import described_file


def test_a_sealed_file_is_what_the_manifest_says(company):
    company.ingest(usage("1"), usage("2", units={"web_search": 1}, provider="Y", model="y-1"))
    company.run()
    (file,) = company.store.lake.snapshot().files
    found = described_file(company.store.lake, file)
    assert found["rows"] == 2
    assert {name: getattr(file, name) for name in found} == found
    company.store.lake.path(file).write_bytes(b"PAR1")
    with pytest.raises(CorruptedError, match="cannot be read"):
        described_file(company.store.lake, file)
