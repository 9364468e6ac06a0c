"""`python -m tests.sms.chaos.producer`: a process that asks for messages by the product's own verb, whatever happens.

Who asks is told «done» only after the commit; what fails before that is asked for again under the same action, as a
person presses the key once more. Each promise that was given is a line of the file `--promises`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from uuid import UUID, uuid4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--per-second", type=float, required=True, help="0: as many as it can")
    parser.add_argument("--promises", type=Path, required=True)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotline.settings")
    import django

    django.setup()
    began = time.monotonic()
    with asked.promises.open("a") as promises:
        for number in range(asked.messages):
            if asked.per_second:
                time.sleep(max(0.0, began + number / asked.per_second - time.monotonic()))
            action = uuid4()
            while not ask_for(action, number):
                time.sleep(0.2)
            promises.write(f"{action}\n")
            promises.flush()


def ask_for(action: UUID, number: int) -> bool:
    """Is the message saved?"""
    from django.db import InterfaceError, OperationalError, connection

    from sms.actions import queue_message

    try:
        queue_message(
            action_id=action,
            to=f"+7916000{number % 10_000:04}",  # of the demo's fictional range
            text=f"Заявка №{number} зарегистрирована.",
            actor=None,
        )
    except (OperationalError, InterfaceError):
        connection.close()
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
