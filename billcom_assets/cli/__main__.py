"""``python -m billcom_assets.cli`` is the ``billcom`` command."""

from __future__ import annotations

from billcom_assets.cli import main

main()
