"""`make lock`: pin what pyproject.toml asks for, with hashes, for every platform, and without any index address."""

from __future__ import annotations

import subprocess
import sys

from hotline.boot.places import ROOT

UV = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--upgrade"]
UV += ["--universal", "--python-version", "3.11", "--generate-hashes"]
UV += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
TARGETS = {
    "requirements.txt": [],
    # The same versions as production, and the embedded servers and tools besides.
    "requirements-dev.txt": ["--extra", "embedded", "--extra", "dev", "--constraint", "requirements.txt"],
}


def main() -> int:
    for target, options in TARGETS.items():
        if code := subprocess.run([*UV, *options, "--output-file", target], cwd=ROOT).returncode:
            return code
        if "://" in (ROOT / target).read_text():
            print(f"hotline: {target} names an address, which must not be committed", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
