"""What somebody who mistyped a name may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from billcom_assets.redaction.display import one_line

_LONGEST = 60
_MOST_LISTED = 20


def quoted(word: str) -> str:
    """A word that somebody typed, in quotes: bounded, without anything that steers a terminal."""
    return repr(one_line(word, limit=_LONGEST))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to put after the refusal of ``word``, a space before it; empty when nothing is like it."""
    names = {name.lower(): name for name in known}
    close = get_close_matches(one_line(word.lower(), limit=_LONGEST), list(names), n=1)
    return f" Did you mean {names[close[0]]}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """The names with commas between, of many the first."""
    every = list(names)
    more = f" and {len(every) - _MOST_LISTED:,} more" if len(every) > _MOST_LISTED else ""
    return f"{', '.join(every[:_MOST_LISTED])}{more}"
