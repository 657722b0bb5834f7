"""What beancount and hledger make of a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import convert, data

CENT = Decimal("0.01")


def load(text: str) -> tuple[list[Any], list[str]]:
    """The directives, and what beancount has to say against them."""
    directives, errors, _ = loader.load_string(text)
    return directives, [str(error.message) for error in errors]


def accepted(text: str) -> list[Any]:
    """The directives of a file that beancount has nothing to say against."""
    directives, errors = load(text)
    assert errors == []
    return directives


def transactions(directives: list[Any]) -> list[Any]:
    return [one for one in directives if isinstance(one, data.Transaction)]


def opened(directives: list[Any]) -> dict[str, Any]:
    return {one.account: one for one in directives if isinstance(one, data.Open)}


def home_sums(directives: list[Any]) -> dict[str, Decimal]:
    """Balances at home by the ledger's account, as beancount weighs the postings."""
    ids = {name: one.meta["ledger_account_id"] for name, one in opened(directives).items()}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in transactions(directives):
        for posting in one.postings:
            sums[ids[posting.account]] += convert.get_weight(posting).number
    return {account: amount.quantize(CENT) for account, amount in sums.items()}


def hledger(text: str, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs hledger on the text; skips the test where the machine has no hledger."""
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed on this machine, so its own check of the file was left out")
    file = folder / "books.journal"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [program, *command, "-f", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
