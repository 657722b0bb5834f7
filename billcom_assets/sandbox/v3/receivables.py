"""Writing customers and invoices."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.books import receivables
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.kinds import (
    CUSTOMERS,
    INVOICES,
)
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.v3 import bodies
from billcom_assets.sandbox.v3.archiving import archiving
from billcom_assets.sandbox.v3.common import actor, find, served


def create_customer(call: Call) -> ApiResponse:
    """``POST /v3/customers``."""
    return served(call, CUSTOMERS, receivables.create_customer(call.organization, call.content), 201)


def update_customer(call: Call) -> ApiResponse:
    """``PATCH /v3/customers/{id}``."""
    find(call, CUSTOMERS, call.params["id"])
    row = receivables.update_customer(call.organization, call.params["id"], call.content)
    return served(call, CUSTOMERS, row)


def create_invoice(call: Call) -> ApiResponse:
    """``POST /v3/invoices``."""
    row = receivables.create_invoice(call.organization, call.content, actor(call))
    return served(call, INVOICES, row, 201)


def replace_invoice(call: Call) -> ApiResponse:
    """``PUT /v3/invoices/{id}``: line items are replaced."""
    find(call, INVOICES, call.params["id"])
    return served(call, INVOICES, receivables.replace_invoice(call.organization, call.params["id"], call.content))


def operations() -> Iterator[Operation]:
    """Writing customers and invoices."""
    yield Operation("POST", "/v3/customers", create_customer, body=bodies.CUSTOMER)
    yield Operation("PATCH", "/v3/customers/{id}", update_customer, body=bodies.CUSTOMER_CHANGES)
    yield from archiving(CUSTOMERS)
    yield Operation("POST", "/v3/invoices", create_invoice, body=bodies.INVOICE)
    yield Operation("PUT", "/v3/invoices/{id}", replace_invoice, body=bodies.INVOICE)
    yield from archiving(INVOICES)
