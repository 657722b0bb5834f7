"""How v2 shows the same record under the readings in force."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.v2.shapes import Shape
from billcom_assets.sandbox.v2.subject import Subject


def listed(shape: Shape, subject: Subject, settings: Settings, *, nested: bool) -> Doc:
    """A record as a list has it."""
    shown = _shown(shape, subject, settings)
    if settings.v2_children_asked and not nested:
        return {name: value for name, value in shown.items() if name not in shape.children}
    return shown


def alone(shape: Shape, subject: Subject, settings: Settings) -> Doc:
    """A record as ``Crud/Read`` and ``ListApprovers`` give it."""
    shown = _shown(shape, subject, settings)
    if settings.v2_reads_as_text:
        return {name: _as_text(value) for name, value in shown.items()}
    return shown


def _shown(shape: Shape, subject: Subject, settings: Settings) -> Doc:
    record = shape.record(subject)
    if shape.entity == "BillApprover":
        record[settings.v2_approver_bill_key] = record.pop("billId")
    if settings.v2_unset_is_empty:
        return {name: "" if value is None else value for name, value in record.items()}
    return record


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else value
