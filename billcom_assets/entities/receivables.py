"""Accounts receivable: customers, what they owe and what they paid."""

from __future__ import annotations

from billcom_assets.entities.columns import (
    CREDIT_STATUSES,
    FUNDING_TYPES,
    PARTY_TYPES,
    UNLISTED_FUNDING,
    WALLET,
    address,
    classifications,
    created_by,
    merged_into,
    merges,
    schedule,
)
from billcom_assets.entities.model import (
    Child,
    Entity,
    Group,
    StandIns,
    Walk,
    date,
    enum,
    flag,
    money,
    number,
    reference,
    text,
)

_LINE_CODING = ("chartOfAccountId", "accountingClassId", "departmentId", "jobId", "locationId", "itemId")
_HEADER_CODING = ("accountingClassId", "departmentId", "jobId", "locationId")
_PAYMENT_STATUSES = ("SCHEDULED", "PAID", "VOID", "CANCELED", "UNDEFINED")

CUSTOMERS = Entity(
    name="customers",
    singular="customer",
    path="/v3/customers",
    id_prefix="0cu",
    group=Group.REFERENCE,
    walk=Walk.WINDOWED,
    description="Everyone the company sells to or bills, with where invoices go. One row per customer.",
    docs="https://developer.bill.com/reference/listcustomers",
    columns=(
        text("name", "Customer name as it appears in BILL, on invoices and on reports."),
        text("email", "Address that invoices are sent to; null when none is on file.", sensitive=True),
        text("companyName", "Legal name when it differs from the display name; null when not given."),
        text(
            "contact.firstName", "First name of the person to talk to at the customer; null if unknown.", sensitive=True
        ),
        text(
            "contact.lastName", "Last name of the person to talk to at the customer; null if unknown.", sensitive=True
        ),
        text("phone", "Telephone number of the customer as typed; null when none is on file.", sensitive=True),
        text("fax", "Fax number of the customer as typed; null when none is on file.", sensitive=True),
        text("description", "Free text about the customer; null when nobody wrote one."),
        text(
            "invoiceCurrency",
            "ISO 4217 code of the currency of this customer's invoices, credit memos and balance.",
        ),
        enum("accountType", PARTY_TYPES, "Whether the customer is a business or a person."),
        text(
            "paymentTermId",
            "BILL's id of the agreed payment terms, such as net 30; the terms themselves are not mirrored.",
        ),
        text("accountNumber", "The company's own number for this customer; null when it uses none."),
        *address("billingAddress", of="the customer's billing address"),
        *address("shippingAddress", of="the customer's shipping address"),
        money(
            "balance.amount",
            "What BILL counts as owed by the customer, in invoice_currency; it may lag behind the open invoices.",
        ),
        flag(
            "authorizedToCharge",
            "True when the customer allowed the company to collect from its bank account; null when BILL does not say.",
        ),
        merged_into("customers", "customer"),
    ),
    v2=merges("Customer"),
)

INVOICES = Entity(
    name="invoices",
    singular="invoice",
    path="/v3/invoices",
    id_prefix="00e",
    group=Group.RECEIVABLES,
    walk=Walk.WINDOWED,
    gated=True,
    touches=(("customerId", "customers"),),
    description="Invoices sent to customers: what they owe, by when and how much of it they have paid.",
    docs="https://developer.bill.com/reference/listinvoices",
    columns=(
        enum(
            "recordStatus",
            ("ACTIVE", "INACTIVE", "DRAFT"),
            "Where the record is in its life: drafts are not claimed yet, INACTIVE is out of use. "
            "Null for organizations where BILL does not send it.",
        ),
        text("invoiceNumber", "The company's own number on the invoice, given by BILL when nobody chose one."),
        date("invoiceDate", "Date on the invoice; the posting date of the sale."),
        date("dueDate", "Day by which the customer should pay; the basis of receivables ageing."),
        reference("customerId", "customers", "Customer who owes the invoice (id in customers)."),
        money("totalAmount", "Total of the invoice in the customer's invoice_currency, before credits and payments."),
        money(
            "dueAmount",
            "Part still owed after credits and payments, in the customer's invoice_currency; "
            "BILL sends no paid amount.",
        ),
        money("scheduledAmount", "Part covered by payments not yet received, in the customer's invoice_currency."),
        money("creditAmount", "Part settled by credit memos, in the customer's invoice_currency."),
        enum(
            "status",
            ("OPEN", "SCHEDULED", "PARTIAL_PAYMENT", "PAID_IN_FULL", "UNDEFINED"),
            "How far payment has come; it can change when a payment does, without the invoice's updated time moving.",
        ),
        number(
            "exchangeRate",
            "Rate between the invoice's currency and US dollars, as BILL gives it; 1 for US dollar invoices.",
        ),
        reference(
            "payToChartOfAccountId",
            "accounts",
            "Account that the customer's payment is expected to be booked on, such as that of a bank account "
            "(id in accounts); not the receivables account, which BILL does not send. Null when nobody chose one.",
        ),
        *classifications(*_HEADER_CODING, of="the invoice as a whole"),
        reference(
            "salesTaxItemId",
            "items",
            "Item that names the sales tax on the invoice (id in items); null when it is not taxed.",
        ),
        money("salesTaxTotal", "Sales tax contained in the total, in the customer's invoice_currency."),
        number("salesTaxPercentage", "Sales tax rate in percent: 8.25 means 8.25 %."),
        flag("enableCardPayment", "True when the customer may pay this invoice by card."),
        number(
            "convenienceFee.percentage",
            "Fee in percent that the customer pays on top for using a card; null when there is none.",
        ),
        text("invoicePdfId", "BILL's id of the printed invoice; null when no PDF was made."),
        created_by("the invoice"),
    ),
    children=(
        Child(
            "invoice_line_items",
            "invoiceLineItems",
            "Lines of an invoice: what was sold. BILL sends quantity and price, not the line's amount.",
            (
                text("id", "BILL's id of the line; it changes when the invoice's lines are replaced."),
                text("description", "What was sold, in the words on the line; null when nobody wrote any."),
                money("price", "Price of one unit in the customer's invoice_currency."),
                number("quantity", "How many units were sold; the line amounts to quantity times price."),
                *classifications(*_LINE_CODING, of="the invoice line"),
            ),
        ),
        Child(
            "invoice_payments",
            "payments",
            "Customer payments applied to an invoice, as the invoice shows them. One row per payment.",
            (
                reference(
                    "id",
                    "receivable_payments",
                    "Payment that was applied (id in receivable_payments); the payment's own id, not the row's.",
                ),
                money("amount", "How much of the payment went to this invoice, in the customer's invoice_currency."),
                enum("status", _PAYMENT_STATUSES, "State of the payment; VOID and CANCELED ones pay nothing."),
                date("date", "Day on which the customer paid; null when BILL does not say."),
            ),
        ),
    ),
)

CREDIT_MEMOS = Entity(
    name="credit_memos",
    singular="credit_memo",
    path="/v3/credit-memos",
    id_prefix="",
    group=Group.RECEIVABLES,
    walk=Walk.WINDOWED,
    gated=True,
    touches=(("usage.invoiceId", "invoices"), ("customerId", "customers")),
    # Whether using a credit moves its own updated time is not published.
    settled=(("status", ("FULLY_APPLIED",)),),
    description="Amounts that the company owes back to customers and that reduce what they pay on invoices.",
    docs="https://developer.bill.com/reference/listcreditmemos",
    columns=(
        reference("customerId", "customers", "Customer who gets the credit (id in customers)."),
        text("referenceNumber", "The company's own number on the credit memo; null when it has none."),
        date("creditDate", "Date on the credit memo; its posting date."),
        text("description", "Free text on the credit memo as a whole; null when nobody wrote one."),
        reference(
            "salesTaxItemId",
            "items",
            "Item that names the sales tax given back (id in items); null when it is not taxed.",
        ),
        reference(
            "payToChartOfAccountId",
            "accounts",
            "Account that the credit memo is expected to be settled on (id in accounts); not the receivables account. "
            "Null when a bank account or nothing was chosen.",
        ),
        reference(
            "payToBankAccountId",
            "funding_accounts",
            "Bank account that the credit memo is expected to be settled on (id in funding_accounts); "
            "it does not say that money left it. Null when another account or nothing was chosen.",
        ),
        money("amount", "Total of the credit memo in the customer's invoice_currency, as a positive number."),
        money("appliedAmount", "Part already used on invoices, in the customer's invoice_currency."),
        money("salesTaxTotal", "Sales tax contained in the amount, in the customer's invoice_currency."),
        number("salesTaxPercentage", "Sales tax rate in percent: 8.25 means 8.25 %."),
        enum("status", CREDIT_STATUSES, "How much of the credit memo has been used on invoices."),
        *classifications(*_HEADER_CODING, of="the credit memo as a whole"),
    ),
    children=(
        Child(
            "credit_memo_line_items",
            "creditMemoLineItems",
            "Lines of a credit memo: what is credited and where it is booked.",
            (
                text("id", "BILL's id of the line; it changes when the credit memo's lines are replaced."),
                text("description", "What is credited, in the words on the line; null when nobody wrote any."),
                money(
                    "price", "Price of one unit in the customer's invoice_currency; null when only an amount was given."
                ),
                number("quantity", "How many units are credited; null when the line has only an amount."),
                money("amount", "Amount of the line in the customer's invoice_currency, as a positive number."),
                number(
                    "ratePercent", "Rate in percent of a line that is a share of others, such as a discount or tax."
                ),
                flag("taxable", "True when sales tax is computed on the line."),
                *classifications(*_LINE_CODING, of="the credit memo line"),
            ),
        ),
        Child(
            "credit_memo_usages",
            "usage",
            "Which invoices a credit memo was used on, and how much of it. One row per invoice.",
            (
                reference("invoiceId", "invoices", "Invoice that the credit memo was used on (id in invoices)."),
                money("amount", "How much of the credit this invoice used, in the customer's invoice_currency."),
            ),
        ),
    ),
)

RECEIVABLE_PAYMENTS = Entity(
    name="receivable_payments",
    singular="receivable_payment",
    path="/v3/receivable-payments",
    id_prefix="0rp",
    group=Group.RECEIVABLES,
    walk=Walk.WINDOWED,
    gated=True,
    touches=(("invoicePayments.invoiceId", "invoices"), ("customerId", "customers")),
    settled=(("status", ("PAID", "VOID", "CANCELED", "ESCHEATED")),),
    final_after_days=180,
    stand_ins=(StandIns("receivables_account_id", "receivables_account_type", UNLISTED_FUNDING),),
    description="Money received from customers, through BILL or recorded as received elsewhere. One row per payment.",
    docs="https://developer.bill.com/reference/listreceivablepayments",
    columns=(
        reference("customerId", "customers", "Customer who paid (id in customers)."),
        money("amount", "What the customer paid, in the customer's invoice_currency."),
        money(
            "unappliedAmount",
            "Part not yet set against invoices, which is the customer's to use, in the customer's invoice_currency.",
        ),
        money(
            "convenienceFeeAmount",
            "Fee that the customer paid on top for using a card, in the customer's invoice_currency; null without one.",
        ),
        text("description", "Free text on the payment; null when nobody wrote one."),
        date("paymentDate", "Day on which the customer paid; the posting date of the receipt."),
        text(
            "fundingAccount.id",
            "BILL's id of the customer's account that the money came from, which is not mirrored; "
            "null for payments recorded as received elsewhere.",
        ),
        enum(
            "fundingAccount.type",
            FUNDING_TYPES,
            "What kind of account the customer paid from; null for payments recorded as received elsewhere.",
        ),
        reference(
            "receivablesAccount.id",
            "funding_accounts",
            "Company account that the money arrived in (id in funding_accounts); the id WALLET for the company's "
            "balance at BILL; null when BILL does not say.",
            or_kind=("receivablesAccount.type", WALLET),
        ),
        enum(
            "receivablesAccount.type",
            FUNDING_TYPES,
            "What kind of company account the money arrived in; null when BILL does not say.",
        ),
        enum(
            "receivablesType",
            (
                "CASH",
                "CHECK",
                "CREDIT_CARD",
                "ACH",
                "PAYPAL",
                "VIRTUAL_CARD",
                "WALLET",
                "OTHER",
                "UNDEFINED",
            ),
            "Means by which the customer paid, such as check or card.",
        ),
        enum(
            "status",
            ("SCHEDULED", "PAID", "VOID", "CANCELED", "ESCHEATED", "UNDEFINED"),
            "State of the payment; only PAID ones are money received.",
        ),
        text("referenceNumber", "Check number or other reference of the payment; null when it has none."),
        flag("onlinePayment", "True when BILL moved the money; false when a payment received elsewhere was recorded."),
    ),
    children=(
        Child(
            "receivable_payment_invoices",
            "invoicePayments",
            "Which invoices a customer payment was set against and with how much. One row per invoice.",
            (
                reference("invoiceId", "invoices", "Invoice that is paid (id in invoices)."),
                money("amount", "How much of the payment went to this invoice, in the customer's invoice_currency."),
                date("paymentDate", "Day on which this part was paid; null when BILL does not say."),
            ),
        ),
    ),
)

RECURRING_INVOICES = Entity(
    name="recurring_invoices",
    singular="recurring_invoice",
    path="/v3/recurring-invoices",
    id_prefix="",
    group=Group.RECEIVABLES,
    walk=Walk.FULL,
    description="Templates from which BILL creates invoices on a schedule, such as retainers. Nobody owes a template.",
    docs="https://developer.bill.com/reference/listrecurringinvoices",
    columns=(
        reference("customerId", "customers", "Customer who will owe the created invoices (id in customers)."),
        text("description", "Free text that is copied to every invoice; null when nobody wrote one."),
        *schedule(of="invoice"),
        *classifications(*_HEADER_CODING, of="every created invoice"),
        flag("sendEmail", "True when BILL e-mails each invoice to the customer as it creates it."),
    ),
    children=(
        Child(
            "recurring_invoice_line_items",
            "recurringInvoiceLineItems",
            "Lines that every invoice created from the template will have.",
            (
                text("id", "BILL's id of the template's line; it changes when the lines are replaced."),
                money("amount", "Amount of the line on each invoice, in the customer's invoice_currency."),
                text("description", "What is sold, in the words on the line; null when nobody wrote any."),
                money(
                    "price", "Price of one unit in the customer's invoice_currency; null when only an amount was given."
                ),
                number("quantity", "How many units each invoice charges; null when the line has only an amount."),
                flag("taxable", "True when sales tax is computed on the line."),
                *classifications(*_LINE_CODING, of="the template's line"),
            ),
        ),
    ),
)
