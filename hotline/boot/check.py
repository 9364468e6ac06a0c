"""`make check`: every tool that judges the code without running the product; all are run, then summed up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from hotline.boot.places import ROOT

# What a safe production looks like, for `check --deploy`; no database is touched.
PRODUCTION = {
    "HOTLINE_SECRET_KEY": "only-for-make-check-" + "0123456789abcdef" * 4 + "-Wq7",
    "HOTLINE_ALLOWED_HOSTS": "hotline.example.org",
    "HOTLINE_CSRF_TRUSTED_ORIGINS": "https://hotline.example.org",
    "HOTLINE_SMS_GATEWAYS": "",
    "HOTLINE_DEMO": "0",
    "HOTLINE_DEBUG": "0",
    "DATABASE_URL": "postgres://hotline@127.0.0.1:1/none",
}
# A pool would go on trying to reach the database that is not there, and say so at every try.
NO_POOL = {"HOTLINE_DB_POOL_MAX": "0"}
PYTHON = sys.executable
STEPS: dict[str, list[str]] = {
    "ruff check": [PYTHON, "-m", "ruff", "check", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "djlint": [PYTHON, "-m", "djlint", "templates", "--lint", "--quiet"],
    "import-linter": [
        PYTHON,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())",
    ],
    "migrations": [
        PYTHON,
        "-W",
        "ignore::RuntimeWarning",
        "manage.py",
        "makemigrations",
        "--check",
        "--dry-run",
        "--skip-checks",
    ],
    "catalogue": [PYTHON, "-m", "hotline.boot.catalogue"],
    "deploy checks": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "mypy": [PYTHON, "-m", "mypy", "."],
}


def check(arguments: Sequence[str]) -> int:
    """Run all steps, or those whose names start with an argument; the exit code is 1 where one failed."""
    wanted = [name for name in STEPS if not arguments or any(name.startswith(each) for each in arguments)]
    failed = []
    for name in wanted:
        started = time.monotonic()
        print(f"hotline: {name}", flush=True)
        environment = {**os.environ, **PRODUCTION, **(NO_POOL if name == "migrations" else {})}
        if subprocess.run(STEPS[name], env=environment, cwd=ROOT).returncode:
            failed.append(name)
            print(f"hotline: {name} FAILED after {time.monotonic() - started:.0f} s\n", flush=True)
    print(f"hotline: {len(wanted) - len(failed)} checks passed, {len(failed)} failed", *failed)
    return 1 if failed or not wanted else 0
