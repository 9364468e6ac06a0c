"""Make the virtual environment where it is missing or stale, then run Python of it with the arguments given.

Called by the Makefile as a script: `python3 -I hotline/boot/environment.py -m hotline.boot run`. Needs nothing but the
standard library of any Python 3, so that a Python that is too old can say so instead of failing with a SyntaxError.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "hotline.stamp")
REQUIREMENTS = os.path.join(ROOT, "requirements-dev.txt")
OLDEST = (3, 11)


def stop(sentence: str) -> "typing.NoReturn":
    """End with one sentence that says what to do."""
    sys.exit("hotline: " + sentence)


def main() -> None:
    if sys.version_info < OLDEST:
        run_newer_python()
    os.chdir(ROOT)
    with open(os.path.join(ROOT, ".venv.lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("hotline: another make is preparing the environment, waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        prepare()
    if sys.argv[1:]:
        os.execv(PYTHON, [PYTHON, *sys.argv[1:]])


def run_newer_python() -> None:
    """Go on with a Python that is new enough where the machine has one under its full name."""
    for minor in range(19, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, "-I", os.path.abspath(__file__), *sys.argv[1:]])
    stop(
        "this is Python {}.{}, and Hotline needs 3.11 or later: ".format(*sys.version_info[:2])
        + "install one, or name it with make PYTHON=/path/to/python3"
    )


def prepare() -> None:
    """Leave `.venv` with exactly what requirements-dev.txt says; quick where it has it already."""
    with open(REQUIREMENTS, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    # A moved checkout or another Python makes the environment anew; other requirements are installed into it.
    place = " ".join(f"{VENV} {sys.version}".split())
    have_place, have = read_stamp()
    if have_place == place and os.path.exists(PYTHON):
        if have == wanted:
            return
        os.remove(STAMP)  # what is interrupted from here on starts from nothing the next time
    else:
        if os.path.islink(VENV):
            os.unlink(VENV)  # to the environment of another checkout, which `--clear` would empty
        create()
    install()
    with open(STAMP, "w") as file:
        file.write(f"{place}\n{wanted}\n")


def read_stamp() -> "tuple[str, str]":
    try:
        with open(STAMP) as file:
            place, wanted = file.read().splitlines()
    except (OSError, ValueError):
        return "", ""
    return place, wanted


def create() -> None:
    print("hotline: making the environment in .venv", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode:
        version = "{}.{}".format(*sys.version_info[:2])
        sys.stderr.write(made.stdout.decode(errors="replace"))
        stop(
            f"Python {version} can't make virtual environments here: install its venv module "
            f"(Debian, Ubuntu: apt-get install python{version}-venv), then run make again"
        )


def install() -> None:
    print("hotline: installing the packages of requirements-dev.txt (the first time takes a minute or two)", flush=True)
    done = subprocess.run(
        [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
        + ["--only-binary", ":all:", "--require-hashes", "-r", REQUIREMENTS],
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
    )
    if done.returncode:
        stop(
            "pip could not install requirements-dev.txt (its reason is above): "
            "see that a package index is in reach, then run make again"
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("interrupted; run make again, it goes on from a clean start")
