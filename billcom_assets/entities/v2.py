"""What BILL's v2 API adds to objects of v3: the same objects by the same ids, with facts that v3's lists leave out.

What columns need of a v2 record is kept beside its object's payload. Columns are read from both as if they were one
object: v2's fields stand under the key ``v2``, and where v3 says nothing v2's value takes its place.

v2's lists and records: https://developer.bill.com/v2/docs/search-ops-with-lists
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from billcom_assets.entities.model import V2, Column, Entity, Pick, Stopgap, Words
from billcom_assets.entities.values import none_if_unset

V2_KEY: Final = "v2"
"""Under which an object holds its v2 record."""
APPROVERS: Final = "approvers"
APPROVAL: Final[Words] = (
    ("0", "UNASSIGNED"),
    ("1", "ASSIGNED"),
    ("3", "APPROVED"),
    ("4", "APPROVING"),
    ("5", "DENIED"),
)
"""Of bills and vendor credits; not the digits of approvers."""
_APPROVER: Final = {
    "0": "WAITING",
    "1": "VIEWED",
    "2": "REROUTED",
    "3": "DENIED",
    "4": "APPROVED",
    "5": "UPCOMING",
    "6": "STALE",
}
_UNDECIDED: Final = ("ASSIGNED", "APPROVING")


def from_v2(column: Column) -> Column:
    """The column, read from v2's field at its path."""
    return replace(column, path=f"{V2_KEY}.{column.path}", name=column.name)


def kept_fields(entity: Entity) -> frozenset[str]:
    """v2's fields that something is made of; the others repeat what v3 has."""
    named = {column.keys[1] for column in entity.columns if column.keys[0] == V2_KEY}
    return frozenset(named | {one.field for one in (entity.v2.stopgaps if entity.v2 else ())})


def kept(v2: V2, fields: Collection[str], record: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a record: ``fields`` of it, and what is picked out of its lists."""
    plain = {key: record[key] for key in fields if key in record}
    return plain | {pick.name: _picked(pick, record) for pick in v2.picks}


def combined(v2: V2, obj: Mapping[str, Any], record: Mapping[str, Any] | None) -> dict[str, Any]:
    """The object as its columns are read, with what v2 knows of it."""
    known = dict(record or {})
    for field, words in v2.words:
        if field in known:
            known[field] = _by_digit(words).get(str(known[field]), known[field])
    both = dict(obj) | {V2_KEY: known}
    for stopgap in v2.stopgaps:
        _fill(stopgap, both, record or {})
    if v2.has_approvers and not both.get(APPROVERS) and known.get(APPROVERS):
        both[APPROVERS] = known[APPROVERS]
    return both


def is_undecided(v2: V2, obj: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """True for an object that somebody still has to approve, by what both APIs say, and v3 does not say who."""
    if not v2.has_approvers or obj.get(APPROVERS):
        return False
    return combined(v2, obj, record).get("approvalStatus") in _UNDECIDED


def approver(record: Mapping[str, Any]) -> dict[str, Any]:
    """An approver of v2's as v3 writes it."""
    return {
        "userId": record.get("usersId"),
        "status": _APPROVER.get(str(record.get("status")), "UNDEFINED"),
        "approverOrder": record.get("sortOrder"),
        "statusChangedTime": record.get("statusChangedDate"),
    }


def derived(entity: Entity) -> Entity:
    """The entity with nothing declared but what depends on v2."""
    v2 = entity.v2
    if v2 is None:
        return replace(entity, columns=(), children=())
    places = {place for stopgap in v2.stopgaps for place in _places(stopgap)}
    return replace(
        entity,
        columns=tuple(one for one in entity.columns if one.keys[0] == V2_KEY or one.path in places),
        children=tuple(child for child in entity.children if v2.has_approvers and child.path == APPROVERS),
    )


@cache
def _by_digit(words: Words) -> Mapping[str, str]:
    return dict(words)


def _picked(pick: Pick, record: Mapping[str, Any]) -> Any:
    elements = record.get(pick.child)
    field, value = pick.where
    fitting = [
        element.get(pick.field)
        for element in (elements if isinstance(elements, list) else ())
        if isinstance(element, dict) and str(element.get(field)) == value
    ]
    return fitting[-1] if fitting else None


def _fill(stopgap: Stopgap, obj: dict[str, Any], record: Mapping[str, Any]) -> None:
    ours, theirs = none_if_unset(obj.get(stopgap.place)), none_if_unset(record.get(stopgap.field))
    words = _by_digit(stopgap.words)
    if words:
        theirs = words.get(str(theirs))
    is_theirs = theirs is not None and (ours not in words.values() if words else ours is None)
    if is_theirs:
        obj[stopgap.place] = theirs
    if stopgap.tells and (is_theirs or ours is not None):
        obj[_source(stopgap)] = "v2" if is_theirs else "v3"


def _places(stopgap: Stopgap) -> Iterator[str]:
    yield stopgap.place
    if stopgap.tells:
        yield _source(stopgap)


def _source(stopgap: Stopgap) -> str:
    return f"{stopgap.place}Source"
