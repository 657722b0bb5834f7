"""Clients of other people, in an environment of their own: their dependencies clash with ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from filelock import FileLock

PINS = Path(__file__).with_name("peers-constraints.txt")
HOME = Path(__file__).parents[1] / ".venv-peers"

ENVIRONMENT = {"RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(HOME), "NO_PROXY": "127.0.0.1"}
"""What their processes see of the environment: nothing of this machine's settings, no telemetry."""


def python() -> Path:
    """The interpreter of an environment with the peers in it, made once and kept until the pins change.

    Raises:
        RuntimeError: They could not be installed; pip's own words.
    """
    home = _home()
    interpreter = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    ready = home / "ready"
    HOME.mkdir(exist_ok=True)
    with FileLock(HOME / "lock"):
        if not ready.exists():
            venv.create(home, clear=True, with_pip=True)
            install = [interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
            installed = subprocess.run([*install, "-r", PINS], capture_output=True, text=True, timeout=300, check=False)
            if installed.returncode:
                raise RuntimeError(f"the peers could not be installed:\n{installed.stderr}")
            ready.touch()
    return interpreter


def _home() -> Path:
    return HOME / f"{sys.version_info[0]}.{sys.version_info[1]}-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"


def main() -> None:
    """Makes the environment before the tests, whose output nobody sees while they run."""
    if not (_home() / "ready").exists():
        sys.stdout.write(f"Installing other people's BILL clients into {HOME.name} (once; a minute or two) ...\n")
        sys.stdout.flush()
        python()


if __name__ == "__main__":
    main()
