"""The ``billcom`` command."""

from __future__ import annotations

import sys

from billcom_assets.cli.app import billcom
from billcom_assets.private_files import restrict_umask

__all__ = ["billcom", "main"]


def main() -> None:
    """Runs the command with the process's arguments and exits with its code."""
    restrict_umask()
    sys.exit(billcom.main(prog_name="billcom"))
