"""From the stored row to what is served: readings and row faults that change how an object looks, never what it is."""

from __future__ import annotations

from billcom_assets.sandbox.codec import Doc, decode, encode
from billcom_assets.sandbox.faults import Fault, Faults
from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import BILLS, VENDORS, Kind
from billcom_assets.sandbox.settings import AbsentIds, ApproversShown, Readings
from billcom_assets.sandbox.table import Row

_ROW_FAULTS = (Fault.NULLS, Fault.UNKNOWN_FIELDS, Fault.UNKNOWN_ENUM)
UNKNOWN_VALUE = "SANDBOX_UNHEARD_OF"
UNKNOWN_KEY = "sandboxNewField"
_NO_ACCOUNT: Doc = {"fundingAccount": {}, "receivablesAccount": {"id": NO_ID}}


class Decorator:
    """Gives rows their served form.

    Args:
        readings: The settings in force.
        faults: Which rows carry an oddity.
    """

    def __init__(self, readings: Readings, faults: Faults) -> None:
        self._readings = readings
        self._faults = faults

    def body(self, kind: Kind, row: Row, *, approvals: bool = False, in_list: bool = False) -> bytes:
        """The JSON of a row as served."""
        body = row.body
        asked = (row.hidden or {}).get("approvers") if kind is BILLS else None
        if asked is not None and self._shows_approvers(asked=approvals):
            body = body[:-1] + b',"approvers":' + encode(asked) + b"}"
        if self._plain(kind, row.id, in_list=in_list):
            return body
        return encode(self._dressed(kind, row.id, decode(body), in_list=in_list))

    def doc(self, kind: Kind, row: Row, *, approvals: bool = False) -> Doc:
        """A row as a single GET serves it, parsed."""
        parsed: Doc = decode(self.body(kind, row, approvals=approvals))
        return parsed

    def _shows_approvers(self, *, asked: bool) -> bool:
        shown = self._readings.settings.approvers_shown
        return shown is ApproversShown.ALWAYS or (asked and shown is ApproversShown.ASKED)

    def _plain(self, kind: Kind, object_id: str, *, in_list: bool) -> bool:
        settings = self._readings.settings
        is_dressed = settings.absent_as_null or settings.absent_ids is AbsentIds.ZEROS
        is_dressed = is_dressed or (kind is BILLS and settings.approvals_undefined)
        if is_dressed or (in_list and kind is VENDORS and settings.thin_vendor_lists):
            return False
        return not any(self._faults.marks_row(fault, object_id) for fault in _ROW_FAULTS)

    def _dressed(self, kind: Kind, object_id: str, doc: Doc, *, in_list: bool) -> Doc:
        settings, faults = self._readings.settings, self._faults
        if in_list and kind is VENDORS and settings.thin_vendor_lists:
            doc.pop("paymentInformation", None)
        if kind is BILLS and settings.approvals_undefined:
            doc["approvalStatus"] = "UNDEFINED"
        if faults.marks_row(Fault.UNKNOWN_FIELDS, object_id):
            faults.fired[Fault.UNKNOWN_FIELDS] += 1
            doc[UNKNOWN_KEY] = {"since": "2027", "score": 3}
            for line in doc.get(kind.lines, ()):
                line[UNKNOWN_KEY] = "line"
        if faults.marks_row(Fault.UNKNOWN_ENUM, object_id):
            for key in kind.status_keys[:1]:
                faults.fired[Fault.UNKNOWN_ENUM] += 1
                doc[key] = UNKNOWN_VALUE
        if settings.absent_ids is AbsentIds.ZEROS:
            doc = _with_zeros(kind, doc)
        if settings.absent_as_null or faults.marks_row(Fault.NULLS, object_id):
            faults.fired[Fault.NULLS] += not settings.absent_as_null
            doc = doc | {key: None for key in kind.keys if key not in doc}
        return doc


def _with_zeros(kind: Kind, doc: Doc) -> Doc:
    """The object with something in the place of every id and account that it does not have."""
    ids = {key: NO_ID for key in kind.keys if key.endswith("Id")}
    accounts = {
        key: {"id": NO_ID} | doc[key] if key in doc else nothing
        for key, nothing in _NO_ACCOUNT.items()
        if key in kind.keys
    }
    return ids | doc | accounts
