"""What runs the gateway elsewhere, read by what would read it there.

Where the reader is not on this machine the test says which one is missing. No image is built and no
container is started here: that needs a daemon of Docker.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from environment import PROJECT, environment
from tallybook.gateway.config import read_config

DEPLOY = PROJECT / "deploy"
UNIT = DEPLOY / "tallybook-gateway.service"
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = DEPLOY / "compose.yaml"
PROGRAM = "/opt/tallybook/bin/tallybook"
EXPOSED_MOST = 2.5
PARSED = """
import sys
from compose_spec import PyCompose
made = PyCompose.from_json(sys.stdin.read())
made.to_spec()
for kind in ("volumes", "secrets", "configs", "networks"):
    getattr(made, "validate_" + kind)()
print(" ".join(sorted(made.service_names())))
"""


def unit() -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, found, value = line.partition("=")
        if found and not line.startswith("#"):
            told.setdefault(name, []).append(value)
    return told


@pytest.fixture
def as_installed(tmp_path):
    """The unit with a program that is here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine: the unit was not verified")
    made = tmp_path / UNIT.name
    made.write_text(UNIT.read_text().replace(PROGRAM, sys.executable))
    return made


def test_systemd_takes_the_unit(as_installed):
    done = subprocess.run(
        ["systemd-analyze", "verify", as_installed], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert as_installed.name not in done.stderr


def test_the_service_is_shut_in(as_installed):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", as_installed],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze tells no exposure offline: {done.stderr.strip()}")
    assert float(found[1]) <= EXPOSED_MOST


def test_the_unit_leaves_the_gateway_the_time_that_it_takes_to_stop():
    told = unit()
    limits = read_config(DEPLOY / "gateway.yaml").limits
    assert int(told["TimeoutStopSec"][0]) > limits.stop_s + 5
    assert told["KillMode"] == ["mixed"]
    assert told["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert told["LimitCORE"] == ["0"]
    assert told["ExecStartPre"] == [told["ExecStart"][0] + " --check"]


def test_a_linter_has_nothing_against_the_dockerfile():
    linter = environment("deploy").parent / "hadolint"
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_made_from_what_is_locked_and_runs_as_nobody():
    text = DOCKERFILE.read_text()
    for name in re.findall(r"requirements/\w+\.txt", text):
        assert "--hash=sha256:" in (PROJECT / name).read_text()
    for _, copied in re.findall(r"^COPY (?!--)(.+) (\S+)$", text, re.MULTILINE):
        assert copied
    for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE):
        assert all((PROJECT / one).exists() for one in line.split())
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001:10001"]
    assert text.count("pip install") == text.count("--require-hashes") + text.count("--no-index")


def test_the_image_has_the_versions_that_are_tested():
    def locked(name: str) -> dict[str, str]:
        text = (PROJECT / "requirements" / name).read_text()
        return dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", text, re.MULTILINE))

    image, run = locked("image.txt"), locked("run.txt")
    assert {"redis", "psycopg", "s3fs"} <= set(image)
    assert {name: image.get(name) for name in run} == run


def test_compose_is_what_the_specification_says():
    python = environment("deploy")
    merged = json.dumps(yaml.safe_load(COMPOSE.read_text()))  # the reader knows no merge keys
    done = subprocess.run(
        [python, "-c", PARSED], input=merged, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["books", "gateway-1", "gateway-2", "postgres", "redis"]


def test_everything_that_compose_names_is_there():
    told = yaml.safe_load(COMPOSE.read_text())
    for name, service in told["services"].items():
        for other in service.get("depends_on", {}):
            assert other in told["services"], name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in told["volumes"], name
        for secret in service.get("secrets", []):
            assert secret in told["secrets"], name
    assert (DEPLOY / told["configs"]["gateway"]["file"]).is_file()
    spools = [
        volume
        for name in ("gateway-1", "gateway-2")
        for volume in told["services"][name]["volumes"]
        if volume.endswith(":/var/lib/tallybook")
    ]
    assert len(set(spools)) == 2  # two gateways on one spool would refuse each other


@pytest.mark.parametrize("name", ["gateway.yaml", "gateway-nodes.yaml"])
def test_the_configurations_can_be_read_and_hold_no_secret(name):
    config = read_config(DEPLOY / name)
    assert config.upstreams[0].secret.file is not None
    assert config.ship_to.startswith("books:")


def test_no_file_holds_a_secret():
    for path in DEPLOY.iterdir():
        assert not re.search(r"sk-[A-Za-z0-9]{8}|tbk_|password:", path.read_text(), re.IGNORECASE)


def test_docker_reads_compose_where_it_is():
    docker = shutil.which("docker")
    done = (
        subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
        if docker
        else None
    )
    if docker is None or done is None or done.returncode:
        pytest.skip("docker compose is not on this machine: only the specification was asked")
    read = subprocess.run(
        [docker, "compose", "-f", COMPOSE, "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
