"""A gateway on loopback that writes down whatever reaches its socket, octet by octet: the witness of `test_model`.

It speaks HTTP as the development gateway and SMSC.ru do, and submit_sm of SMPP 3.4, read here once more by hand: what
it knows of a message it has from the octets alone. It drops no duplicate. `plays` says what is done with each
submission.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

# What may become of a submission that came whole.
ACCEPT = "accept"
REJECT = "reject"  # a final no
THROTTLE = "throttle"  # surely not taken, «come again»
DOWN = "down"  # surely not taken, «nothing at all»: no money (HTTP), the queue is full (SMPP)
ERROR = "error"  # 5xx, RSYSERR
GIBBERISH = "gibberish"  # an answer that nobody can read
CUT = "cut"  # not an octet of an answer
HALF = "half"  # half of the answer that it was accepted
# And of one that does not even come whole.
TORN = "torn"  # cut after its first octet

REFUSALS = {THROTTLE, DOWN}
UNCLEAR = {ERROR, GIBBERISH, CUT, HALF, TORN}
PLAYS = [ACCEPT, REJECT, THROTTLE, DOWN, ERROR, GIBBERISH, CUT, HALF, TORN]

_SMSC_CODES = {"accepted": 0, "delivered": 1, "expired": 3, "undelivered": 20, "rejected": 22}
_SUBMIT_SM, _RESPONSE = 0x04, 0x80000000
UCS2 = 0x08  # data_coding
_STATUSES = {ACCEPT: 0x00, REJECT: 0x0B, THROTTLE: 0x58, DOWN: 0x14, ERROR: 0x08}
# A wire that is not quiet by then hangs (seconds).
_PATIENCE = 20


@dataclass(slots=True)
class Contact:
    """One attempt to hand something over, as far as it came.

    `key` is what the octets call it: our reference (HTTP) or the sequence number (SMPP); "" where too few came.
    """

    play: str
    protocol: str
    octets: int = 0
    whole: bool = False
    key: str = ""
    to: str = ""
    text: str = ""
    # of a long message: (reference, total, seq)
    header: tuple[int, int, int] | None = None
    gateway_id: str = ""
    # It said that it took nothing, and said so to the end: another attempt would be no second message.
    refused: bool = False

    @property
    def may_be_taken(self) -> bool:
        return not self.refused


class Wire:
    """Made by `listening`. `contacts` are in the order in which they came."""

    def __init__(self, listener: socket.socket) -> None:
        self.address: tuple[str, int] = listener.getsockname()
        self.contacts: list[Contact] = []
        self.failures: list[BaseException] = []
        # The next submissions' plays in turn; the last one stays.
        self.plays: list[str] = [ACCEPT]
        # Called once, with the next submission that came whole, before it is answered.
        self.meanwhile: Callable[[Contact], None] | None = None
        # What is said of a message that was taken, when asked: a state, "" (no such message), or CUT.
        self.told = "delivered"
        # What connections bring: submissions, or questions, which count for nothing.
        self.expects_submissions = True
        self._changed = threading.Condition()
        self._opened = self._closed = 0

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def note_opened(self) -> None:
        """The client has a connection: `wait_until_quiet` waits for its end."""
        with self._changed:
            self._opened += 1

    def wait_until_quiet(self) -> None:
        """Everything that was sent has been read, and is in `contacts`."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._closed >= self._opened, _PATIENCE), "the wire hangs"
        failures, self.failures = self.failures, []
        for failure in failures:
            raise failure

    def clear(self) -> None:
        self.contacts = []
        self.behave()

    def behave(self, *plays: str) -> None:
        """Do that with the next submissions, by default what a healthy gateway does."""
        self.plays = list(plays) or [ACCEPT]
        self.meanwhile = None

    # --- Connections ------------------------------------------------------------------------------
    def serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._serve(connection)
        except OSError:
            pass  # the client died, or hung up
        except BaseException as failure:  # noqa: BLE001 - raised in the test by wait_until_quiet()
            self.failures.append(failure)
        finally:
            with self._changed:
                self._closed += 1
                self._changed.notify_all()

    def _serve(self, connection: socket.socket) -> None:
        first = connection.recv(1, socket.MSG_PEEK)
        if first == b"\0":
            while self._serve_pdu(connection):
                pass
        elif first:
            self._serve_request(connection)

    def _begin(self, protocol: str) -> Contact:
        with self._changed:
            play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
            contact = Contact(play=play, protocol=protocol)
            self.contacts.append(contact)
        return contact

    def _came_whole(self, contact: Contact) -> None:
        contact.whole = True
        with self._changed:
            meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile(contact)

    # --- HTTP -------------------------------------------------------------------------------------
    def _serve_request(self, connection: socket.socket) -> None:
        contact = self._begin("http") if self.expects_submissions else Contact(play=ACCEPT, protocol="http")
        if contact.play == TORN:
            contact.octets = len(connection.recv(1))
            return
        read = b""
        while (length := _length(read)) is None or len(read) < length:
            more = connection.recv(65536)
            read += more
            contact.octets = len(read)
            if not more:
                return
        head, _, body = read.partition(b"\r\n\r\n")
        method, path = head.decode().split(" ")[:2]
        if method == "POST" and path in ("/messages", "/rest/send/"):
            assert self.expects_submissions, "something was sent where something should have been asked"
            self._take(connection, contact, path, json.loads(body))
        else:
            self._tell(connection, path, body)

    def _take(self, connection: socket.socket, contact: Contact, path: str, said: dict[str, Any]) -> None:
        smsc = path == "/rest/send/"
        contact.key = said["id" if smsc else "reference"]
        contact.to, contact.text = said["phones" if smsc else "to"], said["mes" if smsc else "text"]
        # SMSC.ru knows a message under our id, others under one of their own.
        contact.gateway_id = contact.key if smsc else f"g-{len(self.contacts)}-{contact.key[:8]}"
        self._came_whole(contact)
        yes = _http(200, {"id": contact.key, "cnt": 1}) if smsc else _http(201, {"id": contact.gateway_id})
        if contact.play == ACCEPT:
            connection.sendall(yes)
        elif contact.play == REJECT:
            no = (
                (200, {"error": "invalid number", "error_code": 7}) if smsc else (422, {"error": "invalid_destination"})
            )
            connection.sendall(_http(*no))
        elif contact.play in REFUSALS:
            down = smsc and contact.play == DOWN
            contact.refused = True
            connection.sendall(_http(200, {"error": "no money", "error_code": 3}) if down else _http(429, {}))
        elif contact.play == ERROR:
            connection.sendall(_http(503, {"error": "overloaded"}))
        elif contact.play == GIBBERISH:
            connection.sendall(_http(200 if smsc else 201, ["?"]))
        elif contact.play == HALF:
            connection.sendall(yes[:-3])

    def _tell(self, connection: socket.socket, path: str, body: bytes) -> None:
        """What became of a message: only of those that were taken, and only what `told` says."""
        if self.told == CUT:
            return
        smsc = path == "/sys/status.php"
        asked = parse_qs(body.decode() if smsc else urlsplit(path).query)
        names = (*asked.get("id", []), *asked.get("reference", []))
        known = next(
            (each for each in self.contacts if self._has(each) and {each.key, each.gateway_id} & {*names}), None
        )
        told = self.told if known else ""
        if smsc:
            answer = {"status": _SMSC_CODES[told], "err": 0} if told else {"error": "not found", "error_code": 3}
            connection.sendall(_http(200, answer))
        else:
            found = [{"id": known.gateway_id, "state": told}] if known and told else []
            connection.sendall(_http(200, {"messages": found}))

    def _has(self, contact: Contact) -> bool:
        return contact.whole and not contact.refused and contact.play != REJECT

    # --- SMPP -------------------------------------------------------------------------------------
    def _serve_pdu(self, connection: socket.socket) -> bool:
        """One request and its answer; False where that was the last."""
        if not connection.recv(1, socket.MSG_PEEK):
            return False
        contact = self._begin("smpp")
        if contact.play == TORN:
            contact.octets = len(connection.recv(1))
            return False
        octets = b""
        wanted = 16
        while len(octets) < wanted:
            more = connection.recv(wanted - len(octets))
            octets += more
            contact.octets = len(octets)
            if not more:
                return False
            if len(octets) == 16:
                wanted = struct.unpack(">I", octets[:4])[0]
        _length_of_it, command, _status, sequence = struct.unpack(">IIII", octets[:16])
        assert command == _SUBMIT_SM, f"no submit_sm: {command:#x}"
        contact.key = str(sequence)
        said = read_submit_sm(octets[16:])
        contact.to, contact.header = said.to, said.header
        contact.text = said.octets.decode("utf-16-be" if said.coding == UCS2 else "ascii")
        contact.gateway_id = f"p-{sequence}"
        self._came_whole(contact)
        if contact.play == CUT:
            return False
        if contact.play == GIBBERISH:
            connection.sendall(b"\x7f" * 16)
            return False
        status = _STATUSES[ACCEPT if contact.play == HALF else contact.play]
        body = b"" if status else contact.gateway_id.encode() + b"\0"
        answer = struct.pack(">IIII", 16 + len(body), _SUBMIT_SM | _RESPONSE, status, sequence) + body
        contact.refused = contact.play in REFUSALS
        connection.sendall(answer[:-3] if contact.play == HALF else answer)
        return contact.play != HALF


@contextmanager
def listening() -> Iterator[Wire]:
    """A wire on a free port, with a thread for each connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    wire = Wire(listener)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=wire.serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield wire
    finally:
        listener.close()


@contextmanager
def nobody_listening() -> Iterator[str]:
    """The address of a port that nobody else gets, and where every connection is refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


# --- Octets -----------------------------------------------------------------------------------------
def _length(read: bytes) -> int | None:
    """Of the whole request; None while its headers are not there yet."""
    head, end, _ = read.partition(b"\r\n\r\n")
    if not end:
        return None
    found = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    return len(head) + 4 + (int(found[1]) if found else 0)


def _http(status: int, content: Any) -> bytes:
    payload = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submit_sm as a telephone gets it: `octets` without the `header` (reference, total, seq) in front of them."""

    to: str
    coding: int
    header: tuple[int, int, int] | None
    octets: bytes


def read_submit_sm(body: bytes) -> Submitted:
    """The body of a submit_sm (SMPP 3.4, 4.4.1), field by field."""
    _service, rest = body.split(b"\0", 1)
    _source, rest = rest[2:].split(b"\0", 1)
    number, rest = rest[2:].split(b"\0", 1)
    esm_class, rest = rest[0], rest[3:]
    _schedule, rest = rest.split(b"\0", 1)
    _validity, rest = rest.split(b"\0", 1)
    coding, length, message = rest[2], rest[4], rest[5:]
    assert len(message) == length, "sm_length"
    header = None
    if esm_class & 0x40:
        assert message[:3] == bytes((5, 0, 3)), "the header of a long message"
        header, message = (message[3], message[4], message[5]), message[6:]
    return Submitted(f"+{number.decode()}", coding, header, message)
