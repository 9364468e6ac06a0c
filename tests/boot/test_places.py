"""Ports, locks and folders: each obstacle is one sentence that says what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hotline.boot import places
from hotline.boot.places import BootError


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 00", "٣"])
def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(BootError, match="PORT must be a number from 1 to 65535"):
        places.wanted_port()


def test_a_port_in_use_names_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(BootError) as caught:
            places.wanted_port()
    assert f"port {port} is in use by «" in str(caught.value)
    assert f"(process {os.getpid()}): stop that, or choose another" in str(caught.value)
    assert places.wanted_port() == port


def test_a_port_in_use_on_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        with pytest.raises(BootError, match="is in use"):
            places.wanted_port()


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOTLINE_DATA", raising=False)
    assert places.data_folder() == places.ROOT / ".local"
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path / "a b" / "c"))
    assert places.data_folder() == tmp_path / "a b" / "c"
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path / "file" / "below"))
    with pytest.raises(BootError, match="can't write to .*HOTLINE_DATA="):
        places.data_folder()


def test_two_at_once(tmp_path: Path) -> None:
    with (
        places.only_one(tmp_path, "make run"),
        pytest.raises(BootError, match=rf"make run \(process {os.getpid()}\) is already at work in .*HOTLINE_DATA="),
        places.only_one(tmp_path, "make run"),
    ):
        pass
    with places.only_one(tmp_path, "make run"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = "import os, sys, pathlib; from hotline.boot.places import only_one\n"
    code += "with only_one(pathlib.Path(sys.argv[1]), 'make run'): os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    with places.only_one(tmp_path, "make run"):
        pass


def test_sockets_live_where_their_path_is_short_and_plain(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    assert places.socket_folder(plain) == (plain if len(str(plain)) <= 80 else places.socket_folder(plain))
    for odd in (tmp_path / "with space", tmp_path / "имя", tmp_path / ("x" * 120)):
        elsewhere = places.socket_folder(odd)
        assert elsewhere == places.socket_folder(odd)
        assert len(str(elsewhere)) < 80
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        elsewhere.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "with space"
    folder = places.socket_folder(odd)
    os.chown(folder, 65534, 65534)
    with pytest.raises(BootError, match="belongs to somebody else"):
        places.socket_folder(odd)
    folder.rmdir()
