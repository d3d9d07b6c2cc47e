"""Portkey is measured where it is, and left out where it is not."""

from __future__ import annotations

from bench import portkey


def test_it_is_left_out_where_it_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(portkey.shutil, "which", lambda _name: "/usr/bin/node")
    assert portkey.command_of(1, {}) == []
    assert portkey.command_of(1, {portkey.FOLDER: str(tmp_path)}) == []
    server = tmp_path / portkey._SERVER
    server.parent.mkdir(parents=True)
    server.write_text("")
    command = portkey.command_of(7, {portkey.FOLDER: str(tmp_path)})
    assert command == ["/usr/bin/node", str(server), "--headless", "--port=7"]
    monkeypatch.setattr(portkey.shutil, "which", lambda _name: None)
    assert portkey.command_of(1, {portkey.FOLDER: str(tmp_path)}) == []


def test_a_call_names_its_provider():
    assert portkey.as_portkey_takes_it("http://x/v1")["x-portkey-custom-host"] == "http://x/v1"
