"""What can be done to an object of any kind: finding it to change it, archiving and restoring it."""

from __future__ import annotations

from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import bad_data, no_such_object
from billcom_assets.sandbox.kinds import Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row


def doc_of(organization: Organization, kind: Kind, object_id: str) -> Doc:
    """An object to change.

    Raises:
        Refusal: 404; there is none.
    """
    row = organization.tables[kind].rows.get(object_id)
    if row is None:
        raise no_such_object()
    return row.doc()


def set_hidden(organization: Organization, kind: Kind, object_id: str, **facts: Any) -> Row:
    """Change facts about an object that v3 does not show; its ``updatedTime`` moves all the same.

    Raises:
        Refusal: 404 unknown object.
    """
    doc = doc_of(organization, kind, object_id)
    hidden = organization.tables[kind].rows[object_id].hidden or {}
    return organization.write(kind, doc, hidden=hidden | facts)


def set_archived(organization: Organization, kind: Kind, object_id: str, *, archived: bool) -> Row:
    """Archive or restore an object that nothing else depends on; a no-op in the state it is in already.

    What was merged into another stands for itself again once it is restored.

    Raises:
        Refusal: 404 unknown object.
    """
    doc = doc_of(organization, kind, object_id)
    row = organization.table(kind).rows[object_id]
    if doc["archived"] == archived:
        return row
    doc["archived"] = archived
    hidden = row.hidden
    if hidden and not archived:
        hidden = {name: value for name, value in hidden.items() if name != "mergedInto"}
    return organization.write(kind, doc, hidden=hidden)


def merge(organization: Organization, kind: Kind, object_id: str, into: str) -> Row:
    """Merge an object into another: it is archived, v2 names the survivor, and what names it goes on naming it.

    Raises:
        Refusal: 404 unknown object, 400 one of the two is archived, or they are the same.
    """
    doc, survivor = doc_of(organization, kind, object_id), doc_of(organization, kind, into)
    if object_id == into or doc["archived"] or survivor["archived"]:
        raise bad_data(f"{kind.noun} {object_id} cannot be merged into {into}")
    hidden = (organization.table(kind).rows[object_id].hidden or {}) | {"mergedInto": into}
    return organization.write(kind, doc | {"archived": True}, hidden=hidden)
