"""Yes and no as accounting programs write them."""

from __future__ import annotations

from collections.abc import Callable

from billcom_assets.ledger.hierarchy import ReportLine, same
from billcom_assets.ledger.problems import quoted

YES = frozenset({"yes", "y", "true", "t", "1", "x", "on"})
NO = frozenset({"no", "n", "false", "f", "0", "none", "off"})

_IN_USE = frozenset({"active", "enabled", "open", "current", "approved", "on hold"})
_OUT_OF_USE = frozenset({"inactive", "not active", "not-active", "archived", "disabled", "closed", "deleted", "hidden"})
_HEADER = frozenset({"h", "header", "heading", "begin-total", "summary", "group", "title"})
_POSTING = frozenset({"d", "detail", "posting", "standard"})
_HELD = frozenset({"on hold", "hold", "held", "blocked", "payment", "ship", "invoice", "all"})

Flag = Callable[[str, int, ReportLine], bool | None]
"""Reads a cell of the given line: yes, no, or None when it is empty or unreadable, which is reported."""


def _flag(question: str, yes: frozenset[str] = frozenset(), no: frozenset[str] = frozenset()) -> Flag:
    def read(cell: str, line: int, report: ReportLine) -> bool | None:
        word = same(cell)
        if word in YES | yes:
            return True
        if word in NO | no:
            return False
        if word:
            report(line, f"{quoted(cell)} does not say {question}; use yes or no")
        return None

    return read


# A word such as "archived" means the same in a column called "Archived" as in one called "Status".
_in_use = _flag("whether it is active", _IN_USE, _OUT_OF_USE)
_out_of_use = _flag("whether it is active", _OUT_OF_USE, _IN_USE)
is_header = _flag("whether it is a header", _HEADER, _POSTING)
is_posted_to = _flag("whether it is posted to", _POSTING, _HEADER)
# NetSuite holds "auto" once a limit is exceeded, which is no hold yet.
is_held = _flag("whether it is on hold", _HELD, frozenset({"auto"}))
is_so = _flag("whether it is so")


def is_active(stated: str, hidden: str, line: int, report: ReportLine) -> bool:
    """Whether a record is in use, from a column that says so and one that says the contrary."""
    return _in_use(stated, line, report) is not False and _out_of_use(hidden, line, report) is not True
