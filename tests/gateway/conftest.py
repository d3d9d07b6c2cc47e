"""A provider and a gateway in front of it."""

from __future__ import annotations

import subprocess

import pytest

from gateway.provider import Provider
from gateway.running import Running


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def gateway(tmp_path, provider):
    with Running(tmp_path / "gateway", provider) as made:
        yield made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of this machine and its key, as files."""
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl here to make a certificate with")
    return folder / "cert.pem", folder / "key.pem"
