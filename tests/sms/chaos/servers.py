"""A database and a broker of the scenario's own that can be killed and come back where they were.

They are the embedded ones of `make run` in a folder of their own: nothing of the machine's, or of the suite's, is
ever ended here, and every process that is killed was started by this one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import redis

from hotline.boot.broker import Broker
from hotline.boot.postgres import Postgres


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: under root PostgreSQL runs as `nobody`, to whom pytest's are closed."""
    made = Path(tempfile.mkdtemp(prefix="hotline-chaos-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Database:
    """PostgreSQL that dies as in a crash and recovers on the same port."""

    def __init__(self, folder: Path) -> None:
        self._server = Postgres(folder / "postgres", folder / "log" / "postgres.log")
        self.log_path = self._server.log
        self.url = ""

    def start(self) -> None:
        self.url = self._server.__enter__()

    def kill(self) -> None:
        """SIGKILL to the postmaster and to every process of it: nothing is flushed, nobody says good-bye.

        Not by the group: each child of a postmaster leads one of its own.
        """
        child = self._server.child
        assert child is not None
        assert child.process is not None
        postmaster = psutil.Process(child.process.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        child.process.wait()
        psutil.wait_procs(family[1:], timeout=10)

    def restart(self) -> None:
        """The same program with the same words, port included: it recovers from its log."""
        child = self._server.child
        assert child is not None
        (self._server.data / "postmaster.pid").unlink(missing_ok=True)
        child.start()
        assert self._server._wait_until_ready(), f"PostgreSQL did not recover:\n{child.tail()}"

    def stop(self) -> None:
        self._server.stop()
        if self._server.home != self._server.folder:  # root's, beside those of other checkouts
            shutil.rmtree(self._server.home, ignore_errors=True)


class Queue:
    """A broker that dies, and comes back with its tasks or without them."""

    def __init__(self, folder: Path) -> None:
        self._server = Broker(folder / "broker", folder / "log" / "broker.log")
        self.log_path = self._server.child.log
        self.url = ""

    def start(self) -> None:
        self.url = self._server.__enter__()

    def kill(self) -> None:
        process = self._server.child.process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self, *, empty: bool) -> None:
        """`empty`: the disk went with it, too; every task and every binding is gone."""
        if empty:
            shutil.rmtree(self._server.folder / "appendonlydir")
        self._server.__enter__()

    def redeliver(self) -> int:
        """Put what workers took and did not acknowledge into the queue once more, whoever may still work on it.

        RabbitMQ does that to a dead worker's tasks at once, Redis after the visibility timeout, which is too long to be
        waited for here. Tasks of the living come twice then, which a broker may do as well.
        """
        with redis.Redis(unix_socket_path=str(self._server.socket), socket_timeout=5) as broker:
            taken = [json.loads(each) for each in broker.hvals("unacked")]
            for message, _exchange, queue in taken:
                broker.rpush(queue, json.dumps(message))
        return len(taken)

    def stop(self) -> None:
        self._server.stop()
