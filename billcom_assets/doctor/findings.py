"""What a check of the installation found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from billcom_assets.doctor.place import Place, Unavailable
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.errors import WarehouseError, describe

_LONGEST: Final = 1_000
"""Characters shown of what was found, and of a fix."""
_REPORT: Final = "Run billcom doctor --debug to see where, and report it."


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    SKIPPED = "skipped"
    """Not looked at, because of something else that is broken or not set up."""
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a check saw."""

    level: Level
    text: str
    fix: str = ""
    """What to do; empty where nothing is to be done."""


def ok(text: str) -> Found:
    """All is well."""
    return Found(Level.OK, text)


def skipped(text: str) -> Found:
    """There was nothing to look at."""
    return Found(Level.SKIPPED, text)


def warning(text: str, fix: str) -> Found:
    """It works, and will not for long or not as it should."""
    return Found(Level.WARNING, text, fix)


def broken(text: str, fix: str) -> Found:
    """It does not work."""
    return Found(Level.BROKEN, text, fix)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, by which check; safe to be shown."""

    check: str
    level: Level
    found: str
    fix: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the installation."""

    name: str
    """How it is called in output."""
    look: Callable[[Place], Iterable[Found]] = field(repr=False)
    """Reads, and changes nothing."""

    def findings(self, place: Place) -> list[Finding]:
        """What it found, at least one thing; a check that fails is a finding itself."""
        try:
            found = list(self.look(place))
        except Unavailable as missing:
            found = [skipped(str(missing))]
        except WarehouseError as error:
            found = [broken(error.message, error.next_step)]
        except Exception as error:
            if place.debug:
                raise
            found = [broken(f"This check itself failed. {describe(error)}", _REPORT)]
        return [Finding(self.name, one.level, _shown(one.text), _shown(one.fix)) for one in found]


def _shown(text: str) -> str:
    return excerpt(text, limit=_LONGEST)
