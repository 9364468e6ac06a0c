"""The first script a stranger's machine runs: it must start on any Python 3, and heal what was interrupted."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.servers import ROOT

SCRIPT = ROOT / "hotline" / "boot" / "environment.py"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, at work in a folder of its own; what it would do is noted in `.done`."""
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    requirements = tmp_path / "requirements-dev.txt"
    requirements.write_text("one==1\n")
    values = {
        "ROOT": str(tmp_path),
        "VENV": str(venv),
        "PYTHON": str(venv / "bin" / "python"),
        "STAMP": str(venv / "hotline.stamp"),
        "REQUIREMENTS": str(requirements),
        "done": [],
    }
    for name, value in values.items():
        setattr(module, name, value)

    def create() -> None:
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()
        module.done.append("create")

    monkeypatch.setattr(module, "create", create)
    monkeypatch.setattr(module, "install", lambda: module.done.append("install"))
    return module


def test_it_is_made_once(environment: ModuleType) -> None:
    environment.prepare()
    environment.prepare()
    assert environment.done == ["create", "install"]


def test_other_requirements_are_installed_into_it(environment: ModuleType) -> None:
    environment.prepare()
    Path(environment.REQUIREMENTS).write_text("one==2\n")
    environment.prepare()
    environment.prepare()
    assert environment.done == ["create", "install", "install"]


def test_an_interrupted_installation_starts_from_nothing(environment: ModuleType) -> None:
    def interrupted() -> None:
        environment.done.append("interrupted")
        raise KeyboardInterrupt

    whole = environment.install
    environment.prepare()
    Path(environment.REQUIREMENTS).write_text("one==2\n")
    environment.install = interrupted
    with pytest.raises(KeyboardInterrupt):
        environment.prepare()
    environment.install = whole
    environment.prepare()
    assert environment.done == ["create", "install", "interrupted", "create", "install"]


def test_the_environment_of_another_checkout_is_left_alone(environment: ModuleType) -> None:
    other = Path(environment.ROOT) / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "python").touch()
    Path(environment.VENV).symlink_to(other)
    environment.prepare()
    assert not Path(environment.VENV).is_symlink()
    assert [file.name for file in other.rglob("*")] == ["bin", "python"]
    assert environment.done == ["create", "install"]


@pytest.mark.parametrize("change", ["moved", "no python", "stamp cut short"])
def test_a_stale_environment_is_made_anew(environment: ModuleType, change: str) -> None:
    environment.prepare()
    if change == "moved":
        moved = Path(environment.VENV).rename(Path(environment.ROOT) / "elsewhere")
        environment.VENV, environment.STAMP = str(moved), str(moved / "hotline.stamp")
    elif change == "no python":
        Path(environment.PYTHON).unlink()
    else:
        Path(environment.STAMP).write_text("x")
    environment.prepare()
    assert environment.done == ["create", "install", "create", "install"]


def test_a_python_that_is_too_old_says_so(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="this is Python 3.9, and Hotline needs 3.11 or later: install one"):
        environment.main()


def test_a_newer_python_beside_it_is_used(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(Exception):
        pass

    def execv(program: str, arguments: list[str]) -> None:
        raise Replaced(program, *arguments[:2])

    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/opt/{name}" if name == "python3.12" else None)
    monkeypatch.setattr(environment.os, "execv", execv)
    with pytest.raises(Replaced) as caught:
        environment.main()
    assert caught.value.args == ("/opt/python3.12", "/opt/python3.12", "-I")


def real(environment: ModuleType, name: str) -> Any:
    spec = importlib.util.spec_from_file_location("real", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def test_a_python_without_venv_says_what_to_install(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = SimpleNamespace(returncode=1, stdout=b"ensurepip is not available")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(SystemExit, match=r"apt-get install python3\.\d+-venv\), then run make again"):
        real(environment, "create")()
    assert "ensurepip is not available" in capsys.readouterr().err


def test_packages_that_can_not_be_installed(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: SimpleNamespace(returncode=1))
    with pytest.raises(SystemExit, match="see that a package index is in reach, then run make again"):
        real(environment, "install")()


def test_any_python_3_can_read_it() -> None:
    """So that one that is too old says so, instead of showing a SyntaxError."""
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 6))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_by_hash_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    pins = [block for block in text.replace("\\\n", " ").splitlines() if block.strip()]
    assert len(pins) > 30
    assert [block for block in pins if "==" not in block or "--hash=sha256:" not in block] == []


def test_production_gets_what_was_tested() -> None:
    def pins(name: str) -> set[str]:
        return {line.split(" \\")[0] for line in (ROOT / name).read_text().splitlines() if line and line[0] != " "}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
