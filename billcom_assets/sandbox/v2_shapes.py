"""v2's view of the same objects: other names, digits for enums, twenty zeros for ids that are not set.

Each function takes an object as v3 stores it and gives the v2 record. Money of foreign documents is in US dollars
here (``amount``), with the amount in the document's currency beside it (``localAmount``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.amounts import funding_cents
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.kinds import (
    ACCOUNT_TYPES,
    ACCOUNTS,
    BANK_ACCOUNTS,
    BILLS,
    CUSTOMERS,
    INVOICES,
    PAYMENTS,
    USERS,
    VENDORS,
    Kind,
)
from billcom_assets.sandbox.money import cents, times
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

NO_ID = "0" * 20
_RECORD_STATUS = {"ACTIVE": "1", "INACTIVE": "2", "DRAFT": "5", "DRAFT_DELETED": "6"}
_BILL_PAYMENT = {
    "PAID": "0",
    "UNPAID": "1",
    "PARTIALLY_PAID": "2",
    "SCHEDULED": "4",
    "PARTIALLY_SCHEDULED": "4",
    "IN_PROCESS": "6",
}
_INVOICE_PAYMENT = {"PAID_IN_FULL": "0", "OPEN": "1", "PARTIAL_PAYMENT": "2", "SCHEDULED": "4"}
_APPROVAL = {"UNASSIGNED": "0", "ASSIGNED": "1", "APPROVED": "3", "APPROVING": "4", "DENIED": "5"}
_PAYMENT = {"APPROVING": "0", "SCHEDULED": "1", "PAID": "2", "CANCELLED": "3", "VOID": "4"}
_BILL_PAY = {"APPROVING": "1", "SCHEDULED": "1", "PAID": "2", "CANCELLED": "3", "VOID": "4"}
_DISBURSEMENT = {
    "CHECK": "0",
    "ACH": "1",
    "RPPS": "2",
    "PAYPAL": "3",
    "OFFLINE": "4",
    "INTERNATIONAL_E_PAYMENT": "5",
    "AMEX": "6",
    "VIRTUAL_CARD": "7",
    "WALLET": "11",
    "CREDIT_CARD": "12",
}
_PAY_BY = {"CHECK": "0", "ACH": "1", "RPPS": "2", "INTERNATIONAL_E_PAYMENT": "5"}
_PARTY = {"NONE": "0", "BUSINESS": "1", "PERSON": "2"}
_BANK = {"NOT_VERIFIED": "0", "VERIFIED": "1", "PENDING": "2", "BLOCKED": "3", "EXPIRED": "4", "INVALID": "5"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One object on its way into v2.

    Attributes:
        organization: Where it lives.
        row: The row, for what v3 does not show.
        doc: The object.
    """

    organization: Organization
    row: Row
    doc: Doc

    def usd(self, amount: Any) -> Decimal:
        """US dollars of an amount in the document's currency."""
        rate = self.doc.get("exchangeRate")
        meaning = self.organization.readings.settings.exchange_rate
        return self.organization.money(funding_cents(cents(amount), rate, meaning))

    def times(self) -> Doc:
        """Both times as v2 spells them: an offset without a colon."""
        return {name: self.doc[name].replace("+00:00", "+0000") for name in ("createdTime", "updatedTime")}

    def activity(self) -> str:
        """``isActive`` of an object that is either active or archived."""
        return "2" if self.doc["archived"] else "1"


def _id(value: Any) -> str:
    return value or NO_ID


def bill(subject: Subject) -> Doc:
    """A Bill with its lines."""
    doc, usd = subject.doc, subject.usd
    coding = doc.get("classifications", {})
    foreign = doc.get("exchangeRate") is not None
    lines = [_bill_line(subject, line, order) for order, line in enumerate(doc["billLineItems"])]
    expenses = [line for line in lines if line["lineType"] == "1"]
    items = [line for line in lines if line["lineType"] == "2"]
    return {
        "entity": "Bill",
        "id": doc["id"],
        "isActive": _RECORD_STATUS[doc["recordStatus"]],
        "vendorId": doc["vendorId"],
        "invoiceNumber": doc["invoice"]["invoiceNumber"],
        "approvalStatus": _APPROVAL[doc["approvalStatus"]],
        "invoiceDate": doc["invoice"]["invoiceDate"],
        "dueDate": doc["dueDate"],
        "glPostingDate": None,
        "amount": usd(doc["amount"]),
        "scheduledAmount": usd(doc["scheduledAmount"]),
        "paidAmount": usd(doc["paidAmount"]),
        "dueAmount": usd(doc["dueAmount"]),
        "creditAmount": usd(doc["creditAmount"]),
        "paymentStatus": _BILL_PAYMENT[doc["paymentStatus"]],
        "uiPaymentStatus": _BILL_PAYMENT[doc["paymentStatus"]],
        "description": doc.get("description"),
        "poNumber": doc.get("purchaseOrderNumber"),
        **subject.times(),
        "createdBy": doc["createdBy"],
        "payFromBankAccountId": NO_ID,
        "payFromChartOfAccountId": _id(doc.get("payFromChartOfAccountId")),
        "paymentTermId": NO_ID,
        "hasAutoPay": False,
        "eBillCreated": False,
        "invoiceProductId": NO_ID,
        "chartOfAccountId": _id(coding.get("chartOfAccountId")),
        "departmentId": _id(coding.get("departmentId")),
        "locationId": _id(coding.get("locationId")),
        "actgClassId": _id(coding.get("accountingClassId")),
        "localAmount": doc["amount"] if foreign else None,
        "exchangeRate": doc.get("exchangeRate"),
        "source": "0",
        "numApprPolicyEx": 0,
        "useBillDesc": False,
        "defaultInvoiceNumber": False,
        "isAutoSaved": False,
        "billTemplateId": NO_ID,
        "orgId": subject.organization.id,
        "organizationName": subject.organization.name,
        "hasLinkedPurchaseOrders": False,
        "hasAmortizedLines": False,
        "multipleBillLineItems": len(lines) > 1,
        "item": _roll_up(subject, items),
        "expense": _roll_up(subject, expenses),
        "billLineItems": lines,
    }


def _roll_up(subject: Subject, lines: list[Doc]) -> Doc:
    amount = sum(cents(line["amount"]) for line in lines)
    return {"count": len(lines), "totalAmount": subject.organization.money(amount)}


def _bill_line(subject: Subject, line: Doc, order: int) -> Doc:
    coding = line.get("classifications", {})
    return {
        "entity": "BillLineItem",
        "id": line["id"],
        "billId": subject.doc["id"],
        "amount": subject.usd(line["amount"]),
        "chartOfAccountId": _id(coding.get("chartOfAccountId")),
        "departmentId": _id(coding.get("departmentId")),
        "locationId": _id(coding.get("locationId")),
        "jobId": _id(coding.get("jobId")),
        "customerId": _id(coding.get("customerId")),
        "jobBillable": False,
        "description": line.get("description"),
        **subject.times(),
        "lineType": "2" if coding.get("itemId") else "1",
        "itemId": _id(coding.get("itemId")),
        "quantity": line.get("quantity"),
        "unitPrice": line.get("price"),
        "employeeId": _id(coding.get("employeeId")),
        "actgClassId": _id(coding.get("accountingClassId")),
        "lineOrder": order,
    }


def sent_pay(subject: Subject) -> Doc:
    """A SentPay with its billPays; unlike v3 it names the chart-of-accounts id."""
    doc = subject.doc
    funding = doc.get("fundingAccount", {})
    gl_account = (subject.row.hidden or {}).get("chartOfAccountId", NO_ID)
    foreign = doc["exchangeRate"] != 1
    return {
        "entity": "SentPay",
        "id": doc["id"],
        "processDate": doc["processDate"],
        "amount": doc["fundingAmount"],
        "status": _PAYMENT[doc["status"]],
        "description": doc.get("description"),
        "txnNumber": doc.get("transactionNumber"),
        "name": doc["confirmationNumber"],
        "vendorId": doc["vendorId"],
        "isOnline": doc["onlinePayment"],
        "fasterPayment": False,
        "paymentType": _DISBURSEMENT[doc["disbursementType"]],
        "deliveryTypeRequested": "0",
        "chartOfAccountId": gl_account,
        "syncReference": None,
        "toPrintCheck": False,
        **subject.times(),
        "createdBy": doc["createdBy"],
        "bankAccountId": _id(funding.get("id")) if funding.get("type") == "BANK_ACCOUNT" else NO_ID,
        "cardAccountId": _id(funding.get("id")) if funding.get("type") == "CARD_ACCOUNT" else NO_ID,
        "source": "0",
        "allowExport": True,
        "localAmount": doc["amount"] if foreign else None,
        "exchangeRate": doc["exchangeRate"] if foreign else None,
        "billPays": [_bill_pay(subject, part, gl_account) for part in doc["billPayments"]],
        "billCredits": [
            {
                "entity": "BillCredit",
                "id": f"bcr{part['id'][3:]}",
                "billId": part["billId"],
                "sentPayId": doc["id"],
                "vendorCreditId": credit["id"],
                "amount": credit["amount"],
                **subject.times(),
            }
            for part in doc["billPayments"]
            for credit in part.get("vendorCredits", ())
        ],
    }


def _bill_pay(subject: Subject, part: Doc, gl_account: str) -> Doc:
    doc = subject.doc
    return {
        "entity": "BillPay",
        "id": part["id"],
        "billId": part["billId"],
        "name": doc["confirmationNumber"],
        "paymentStatus": _BILL_PAY[doc["status"]],
        "amount": subject.usd(part["amount"]),
        "description": doc.get("description"),
        "processDate": doc["processDate"],
        **subject.times(),
        "paymentType": "0" if doc["onlinePayment"] else "1",
        "syncReference": None,
        "toPrintCheck": False,
        "chartOfAccountId": gl_account,
        "sentPayId": doc["id"],
        "allowExport": True,
    }


def bank_account(subject: Subject) -> Doc:
    """A BankAccount."""
    doc = subject.doc
    return {
        "entity": "BankAccount",
        "id": doc["id"],
        "isActive": subject.activity(),
        **subject.times(),
        "bankName": doc["bankName"],
        "nameOnAcct": doc["nameOnAccount"],
        "accountNumber": doc["accountNumber"],
        "routingNumber": f"*****{doc['routingNumber'][-4:]}",
        "usersId": doc["createdBy"],
        "chartOfAccountId": _id(doc.get("chartOfAccountId")),
        "status": _BANK.get(doc["status"], "0"),
        "primaryAP": doc["default"]["payables"],
        "primaryAR": doc["default"]["receivables"],
        "isSavings": doc["type"] == "SAVINGS",
        "isPersonalAcct": doc["ownerType"] == "PERSONAL",
        "autoAdminAuth": doc["accessToAdmins"],
        "dateEstablished": None,
        "verificationLevel": "0",
        "verifyStatus": "0",
    }


def _address(address: Mapping[str, Any], prefix: str, first: str) -> Doc:
    return {
        f"{first}1": address.get("line1"),
        f"{first}2": address.get("line2"),
        f"{first}3": None,
        f"{first}4": None,
        f"{prefix}City": address.get("city"),
        f"{prefix}State": address.get("stateOrProvince"),
        f"{prefix}Zip": address.get("zipOrPostalCode"),
        f"{prefix}Country": address.get("countryName"),
    }


def vendor(subject: Subject) -> Doc:
    """A Vendor."""
    doc = subject.doc
    payment, more = doc.get("paymentInformation", {}), doc.get("additionalInfo", {})
    return {
        "entity": "Vendor",
        "id": doc["id"],
        "isActive": subject.activity(),
        "name": doc["name"],
        "shortName": doc.get("shortName"),
        "nameOnCheck": payment.get("payeeName"),
        "companyName": more.get("companyName"),
        "accNumber": doc.get("accountNumber"),
        "taxId": more.get("taxId"),
        "track1099": more.get("track1099", False),
        **_address(doc.get("address", {}), "address", "address"),
        "email": doc.get("email"),
        "fax": None,
        "phone": doc.get("phone"),
        "payBy": _PAY_BY.get(payment.get("payByType", ""), "6"),
        "paymentEmail": payment.get("email"),
        "paymentPhone": None,
        "description": None,
        **subject.times(),
        "mergedIntoId": NO_ID,
        "accountType": _PARTY.get(doc["accountType"], "0"),
        "balance": doc["balance"]["amount"],
        "paymentTermId": NO_ID,
        "enabledCombinePayments": more.get("combinePayments", False),
        "billCurrency": doc["billCurrency"],
    }


def customer(subject: Subject) -> Doc:
    """A Customer."""
    doc = subject.doc
    contact = doc.get("contact", {})
    return {
        "entity": "Customer",
        "id": doc["id"],
        "isActive": subject.activity(),
        **subject.times(),
        "name": doc["name"],
        "shortName": None,
        "parentCustomerId": NO_ID,
        "companyName": doc.get("companyName"),
        "contactFirstName": contact.get("firstName"),
        "contactLastName": contact.get("lastName"),
        "accNumber": doc.get("accountNumber"),
        **_address(doc.get("billingAddress", {}), "billAddress", "billAddress"),
        **_address(doc.get("shippingAddress", {}), "shipAddress", "shipAddress"),
        "email": doc["email"],
        "phone": doc.get("phone"),
        "altPhone": None,
        "fax": doc.get("fax"),
        "description": doc.get("description"),
        "paymentTermId": NO_ID,
        "mergedIntoId": NO_ID,
        "accountType": _PARTY.get(doc["accountType"], "0"),
        "hasAuthorizedToCharge": doc["authorizedToCharge"],
    }


def invoice(subject: Subject) -> Doc:
    """An Invoice with its lines."""
    doc = subject.doc
    coding = doc.get("classifications", {})
    return {
        "entity": "Invoice",
        "id": doc["id"],
        "isActive": _RECORD_STATUS[doc["recordStatus"]],
        **subject.times(),
        "customerId": doc["customerId"],
        "invoiceNumber": doc["invoiceNumber"],
        "invoiceDate": doc["invoiceDate"],
        "dueDate": doc["dueDate"],
        "glPostingDate": None,
        "amount": doc["totalAmount"],
        "amountDue": doc["dueAmount"],
        "scheduledAmount": doc["scheduledAmount"],
        "creditAmount": doc["creditAmount"],
        "paymentStatus": _INVOICE_PAYMENT[doc["status"]],
        "description": None,
        "poNumber": None,
        "itemSalesTax": _id(doc.get("salesTaxItemId")),
        "salesTaxPercentage": doc["salesTaxPercentage"],
        "salesTaxTotal": doc["salesTaxTotal"],
        "departmentId": _id(coding.get("departmentId")),
        "locationId": _id(coding.get("locationId")),
        "actgClassId": _id(coding.get("accountingClassId")),
        "jobId": _id(coding.get("jobId")),
        "payToChartOfAccountId": _id(doc.get("payToChartOfAccountId")),
        "invoiceLineItems": [_invoice_line(subject, line) for line in doc["invoiceLineItems"]],
    }


def _invoice_line(subject: Subject, line: Doc) -> Doc:
    coding = line.get("classifications", {})
    return {
        "entity": "InvoiceLineItem",
        "id": line["id"],
        "invoiceId": subject.doc["id"],
        "itemId": _id(coding.get("itemId")),
        "quantity": line["quantity"],
        "amount": subject.organization.money(times(cents(line["price"]), Decimal(line["quantity"]))),
        "price": line["price"],
        "description": line.get("description"),
        "departmentId": _id(coding.get("departmentId")),
        "locationId": _id(coding.get("locationId")),
        "actgClassId": _id(coding.get("accountingClassId")),
        "jobId": _id(coding.get("jobId")),
        **subject.times(),
    }


def user(subject: Subject) -> Doc:
    """A User."""
    doc = subject.doc
    return {
        "entity": "User",
        "id": doc["id"],
        "isActive": subject.activity(),
        "firstName": doc["firstName"],
        "lastName": doc["lastName"],
        "email": doc["email"],
        "loginId": doc["email"],
        "profileId": doc["role"]["id"],
        "timezoneId": "9",
        "orgId": subject.organization.id,
        "organizationName": subject.organization.name,
        "partnerUserGroupType": "0",
        **subject.times(),
    }


def chart_of_account(subject: Subject) -> Doc:
    """A ChartOfAccount; unlike v3 it always names its parent."""
    doc = subject.doc
    account_type = doc["account"]["type"]
    return {
        "entity": "ChartOfAccount",
        "id": doc["id"],
        "name": doc["name"],
        "isActive": subject.activity(),
        "accountNumber": doc["account"].get("number"),
        "accountType": str(ACCOUNT_TYPES.index(account_type)),
        "description": doc.get("description"),
        "parentChartOfAccountId": (subject.row.hidden or {}).get("parentId", NO_ID),
        **subject.times(),
        "mergedIntoId": NO_ID,
    }


@dataclass(frozen=True, slots=True)
class Shape:
    """One v2 entity.

    Attributes:
        kind: The v3 kind of the same objects.
        record: Makes the v2 record.
        filterable: Fields a List call may filter by.
    """

    kind: Kind
    record: Callable[[Subject], Doc]
    filterable: frozenset[str]


def _fields(text: str) -> frozenset[str]:
    return frozenset({"id", "isActive", "createdTime", "updatedTime", *text.split()})


SHAPES: Mapping[str, Shape] = {
    "Bill": Shape(
        BILLS,
        bill,
        _fields(
            "vendorId invoiceNumber approvalStatus invoiceDate dueDate glPostingDate amount localAmount"
            " scheduledAmount paidAmount paymentStatus payFromBankAccountId payFromChartOfAccountId paymentTermId"
            " hasAutoPay eBillCreated invoiceProductId chartOfAccountId departmentId locationId actgClassId source"
            " defaultInvoiceNumber isAutoSaved billTemplateId"
        ),
    ),
    "SentPay": Shape(
        PAYMENTS,
        sent_pay,
        _fields(
            "processDate amount status txnNumber vendorId isOnline fasterPayment paymentType"
            " deliveryTypeRequested chartOfAccountId allowExport"
        )
        - {"isActive"},
    ),
    "BankAccount": Shape(
        BANK_ACCOUNTS,
        bank_account,
        _fields(
            "usersId chartOfAccountId status primaryAP primaryAR isSavings isPersonalAcct autoAdminAuth"
            " dateEstablished verificationLevel verifyStatus"
        ),
    ),
    "Vendor": Shape(VENDORS, vendor, _fields("name payBy accountType mergedIntoId billCurrency")),
    "Customer": Shape(CUSTOMERS, customer, _fields("name accountType mergedIntoId")),
    "Invoice": Shape(
        INVOICES, invoice, _fields("customerId invoiceNumber invoiceDate dueDate amount amountDue paymentStatus")
    ),
    "User": Shape(USERS, user, _fields("profileId email loginId")),
    "ChartOfAccount": Shape(
        ACCOUNTS, chart_of_account, _fields("name accountNumber accountType parentChartOfAccountId mergedIntoId")
    ),
}
