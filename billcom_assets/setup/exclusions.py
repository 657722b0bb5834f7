"""Entities that an integration's syncs leave out because somebody does not want them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.redaction.close_matches import did_you_mean, quoted
from billcom_assets.warehouse.integrations import InvalidSetting, excluded_from


def excludable() -> list[str]:
    """Entities that may be left out, in sync order: those that neither setup nor posting stands on."""
    return [entity.name for entity in CATALOG if not entity.is_mandatory]


def exclusions(before: str | None, without: Sequence[str], included: Sequence[str]) -> str | None:
    """What is left out after a change, as it is stored; None for nothing.

    Args:
        before: What is stored now.
        without: To be left out from now on, too.
        included: To be brought in again.

    Raises:
        InvalidSetting: one of them is no entity, is needed, or was given both ways.
    """
    for name in (*without, *included):
        if name not in CATALOG:
            known = did_you_mean(name, excludable())
            raise InvalidSetting(f"There is no entity {quoted(name)}.{known} {_choice()}")
    for name in without:
        if CATALOG[name].is_mandatory:
            raise InvalidSetting(f"{_words(name)} cannot be left out: posting stands on them. {_choice()}")
        if name in included:
            raise InvalidSetting(f"{_words(name)} cannot be left out and brought in at once. Give one of the two.")
    left = excluded_from(before).union(without).difference(included)
    return ",".join(name for name in CATALOG.names() if name in left) or None


def left_out(key: str, entities: Iterable[str]) -> str:
    """That nothing is pulled of these entities, and how they are brought in again."""
    names = list(entities)
    options = " ".join(f"--with {name}" for name in names)
    return (
        f"{key}: left out of its syncs: {', '.join(map(_words, names))}. To bring in: billcom connect {key} {options}"
    )


def _choice() -> str:
    return f"What may be left out: {', '.join(excludable())}."


def _words(entity: str) -> str:
    return entity.replace("_", " ")
