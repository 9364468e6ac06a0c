"""`python -m hotline.boot <command>`: what the Makefile calls once the environment is there."""

from __future__ import annotations

import sys

from hotline.boot.places import BootError


def main(arguments: list[str]) -> int:
    from hotline.boot import check, run, testing

    commands = {"run": lambda _: run.run(), "test": testing.test, "bench": testing.bench, "check": check.check}
    if not arguments or arguments[0] not in commands:
        print(f"usage: python -m hotline.boot {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        return commands[arguments[0]](arguments[1:]) or 0
    except BootError as error:
        print(f"hotline: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
