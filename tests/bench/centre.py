"""`python -m tests.bench.centre`: an SMPP centre on the loopback that takes everything at once and gives receipts.

As little as a measure needs: each submit_sm is answered and followed by its receipt in one write. When a link ends, a
line of JSON tells of it: how many messages came and from when to when (seconds of one clock), which came twice, how
many receipts were answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from pathlib import Path

from sms.smpp import pdus
from sms.smpp.pdus import RESPONSE, Pdu

# The receipt's addresses, esm_class 4, and what comes after them up to the length of the text (SMPP 3.4, 4.6.1).
_BEFORE = b"\0" + b"\1\1" + b"79160000101\0" + b"\5\0" + b"HOTLINE\0" + b"\4\0\0" + b"\0\0" + b"\0\0\0\0"


class Centre:
    def __init__(self, report: Path) -> None:
        self._report = report
        self._ids = 0
        self._sequence = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One link, to its end."""
        came: list[float] = []
        bodies: Counter[bytes] = Counter()
        receipts = 0
        try:
            while True:
                length, command, _, sequence = pdus.read_header(await reader.readexactly(pdus.HEADER.size))
                body = await reader.readexactly(length)
                if command == pdus.SUBMIT_SM:
                    came.append(time.monotonic())
                    bodies[body] += 1
                    writer.write(self._take(sequence))
                elif command == pdus.DELIVER_SM | RESPONSE:
                    receipts += 1
                elif not command & RESPONSE:
                    name = b"centre\0" if command == pdus.BIND_TRANSCEIVER else b""
                    writer.write(Pdu(command | RESPONSE, pdus.ROK, sequence, name).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
            if came:
                twice = sum(times - 1 for times in bodies.values())
                told = {"messages": len(came), "seconds": came[-1] - came[0], "twice": twice, "receipts": receipts}
                with self._report.open("a") as file:
                    file.write(json.dumps(told) + "\n")

    def _take(self, sequence: int) -> bytes:
        self._ids += 1
        self._sequence += 1
        name = f"{self._ids:010}".encode()
        text = (
            b"id:" + name + b" sub:001 dlvrd:001 submit date:2611250300 done date:2611250301 stat:DELIVRD err:000 text:"
        )
        receipt = _BEFORE + bytes((len(text),)) + text
        answer = Pdu(pdus.SUBMIT_SM | RESPONSE, pdus.ROK, sequence, name + b"\0")
        return answer.encode() + Pdu(pdus.DELIVER_SM, 0, self._sequence, receipt).encode()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--report", type=Path, required=True)
    asked = parser.parse_args()
    server = await asyncio.start_server(Centre(asked.report).serve, "127.0.0.1", asked.port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
