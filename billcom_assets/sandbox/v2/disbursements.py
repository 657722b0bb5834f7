"""How far a payment has come on its way to the vendor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.kinds import PAYMENTS, VENDORS
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v2.envelope import data_of, find, success, text_of
from billcom_assets.sandbox.v2.shapes import record
from billcom_assets.sandbox.v2.subject import Subject

_DETAILS: Mapping[str, tuple[str, str, str]] = {
    "CHECK": ("checkData", "CheckData", "checkDisbursement"),
    "ACH": ("achData", "AchData", "achDisbursement"),
    "RPPS": ("rppsData", "RppsData", "rppsDisbursement"),
}
"""Type of disbursement to the member that describes it, its fields, and what v3 calls it."""


def disbursement_data(call: Call) -> ApiResponse:
    """``GetDisbursementData.json``: nothing before the money is on its way."""
    row = find(call, PAYMENTS, text_of(data_of(call), "sentPayId"))
    payment = row.doc()
    if not (call.sandbox.settings.disbursement_data and payment["onlinePayment"] and "disbursementStatus" in payment):
        return success({})
    vendor = call.organization.table(VENDORS).rows[payment["vendorId"]].doc()
    shown = record("DisbursementData", Subject(call.organization, payment, vendor))
    member, fields, detail = _DETAILS.get(payment["disbursementType"], ("", "", ""))
    if member:
        shown[member] = record(fields, Subject(call.organization, payment, payment["disbursementInfo"].get(detail, {})))
        del shown[member]["entity"]
    del shown["entity"]
    return success(shown)


def operations() -> Iterator[Operation]:
    """Every operation on disbursements."""
    yield Operation("POST", "/GetDisbursementData.json", disbursement_data)
