"""Who is asked to approve a bill or vendor credit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v2 import readings
from billcom_assets.sandbox.v2.envelope import data_of, find, success, text_of, unknown
from billcom_assets.sandbox.v2.shapes import SHAPES, Shape

_APPROVERS: Mapping[str, Shape] = {"Bill": SHAPES["BillApprover"], "VendorCredit": SHAPES["VendorCreditApprover"]}


def list_approvers(call: Call) -> ApiResponse:
    """``ListApprovers.json``: in the order in which they are asked."""
    data = data_of(call)
    object_id, entity = text_of(data, "objectId"), text_of(data, "entity")
    if entity not in _APPROVERS:
        raise unknown(f"entity is one of {', '.join(_APPROVERS)}.")
    shape = _APPROVERS[entity]
    subjects = shape.subjects(call.organization, find(call, shape.kind, object_id))
    return success([readings.alone(shape, subject, call.sandbox.settings) for subject in subjects])


def operations() -> Iterator[Operation]:
    """Every operation on approvals."""
    yield Operation("POST", "/ListApprovers.json", list_approvers)
