"""The catalog: the mandated orders, the names that others depend on, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from billcom_assets.entities import columns, model
from billcom_assets.entities.catalog import CATALOG, Catalog
from billcom_assets.entities.model import Child, ColumnType, Entity, Group, Walk
from billcom_assets.entities.validation import COMMON_COLUMNS, LONGEST_NAME
from billcom_assets_tests.entities import snapshot, worlds

ALL_COLUMNS = [
    (f"{table}.{column.name}", column)
    for entity in CATALOG
    for table, declared in [(entity.name, entity.columns), *((c.table, c.columns) for c in entity.children)]
    for column in declared
]

PAYMENT_TERMS = Entity(
    name="payment_terms",
    singular="payment_term",
    path="/v3/payment-terms",
    id_prefix="00p",
    group=Group.REFERENCE,
    walk=Walk.FULL,
    description="Agreed terms of payment.",
    columns=(model.text("name", "Name of the terms."), model.reference("vendorId", "vendors", "Vendor they are for.")),
    children=(Child("payment_term_steps", "steps", "Steps.", (model.integer("days", "Days."),)),),
)


def test_the_sync_plan_is_the_mandated_order():
    assert CATALOG.names() == (
        "vendors",
        "funding_accounts",
        "accounts",
        "bills",
        "vendor_credits",
        "vendor_payments",
        "items",
        "customers",
        "departments",
        "jobs",
        "locations",
        "accounting_classes",
        "employees",
        "invoices",
        "credit_memos",
        "receivable_payments",
        "recurring_bills",
        "recurring_invoices",
        "users",
        "roles",
        "money_movements",
    )


def test_the_seed_plan_is_the_mandated_order():
    assert [entity.name for entity in CATALOG.seed_plan()] == [
        "vendors",
        "funding_accounts",
        "accounts",
        "items",
        "departments",
        "jobs",
        "locations",
        "accounting_classes",
        "employees",
    ]


def test_tables_and_columns_are_the_recorded_ones():
    recorded = snapshot.FILE.read_text().splitlines()
    assert snapshot.render().splitlines() == recorded, (
        "Tables, columns or plan changed, on which users' queries depend. If the change is meant, "
        "record it with `python -m billcom_assets_tests.entities.snapshot` and review the difference."
    )


def test_only_documents_that_are_posted_wait_for_the_setup():
    assert [entity.name for entity in CATALOG if entity.gated] == [
        "bills",
        "vendor_credits",
        "vendor_payments",
        "invoices",
        "credit_memos",
        "receivable_payments",
        "money_movements",
    ]


def test_the_cutoff_looks_at_the_posting_dates():
    assert {entity.name: entity.cutoff for entity in CATALOG if entity.cutoff} == {
        "bills": "invoice_date",
        "vendor_credits": "credit_date",
        "vendor_payments": "process_date",
    }


def test_a_cleared_vendor_payment_is_not_final():
    ((column, final),) = CATALOG["vendor_payments"].settled
    assert column == "single_status"
    assert "VOIDED" in final
    assert not {"CLEARED", "DELIVERED", "PROCESSED", "SENT", "SCHEDULED", "UNDEFINED"} & set(final)


def test_payments_and_credits_are_looked_at_until_settled():
    assert {entity.name: entity.final_after_days for entity in CATALOG if entity.settled} == {
        "vendor_payments": 180,
        "receivable_payments": 180,
        "vendor_credits": None,
        "credit_memos": None,
    }


def test_every_column_tells_an_analyst_what_it_means():
    unclear = [
        name
        for name, column in ALL_COLUMNS
        if len(column.description) < 30
        or not column.description.endswith(".")
        or column.description.lower().strip(".").replace(" ", "_") == column.name
    ]
    assert unclear == []


def test_every_table_is_described():
    for entity in CATALOG:
        assert all(len(thing.description) > 30 for thing in (entity, *entity.children))


def test_every_money_column_names_its_currency():
    money = [(name, column) for name, column in ALL_COLUMNS if column.type is ColumnType.MONEY]
    assert len(money) > 30
    assert [name for name, column in money if not re.search("currency|US dollars", column.description)] == []


def test_every_instant_says_that_it_is_utc():
    instants = [(name, column) for name, column in ALL_COLUMNS if column.type is ColumnType.TIMESTAMP]
    assert len(instants) >= 4
    assert [name for name, column in instants if "UTC" not in column.description] == []


def test_personal_tax_and_bank_data_are_marked():
    unmarked = {
        f"{entity.name}.{column.name}"
        for entity in CATALOG
        for column in entity.columns
        if column.type is ColumnType.TEXT
        and not column.sensitive
        and any(
            column.name.endswith(end)
            for end in (
                "_line1",
                "_line2",
                "postal_code",
                "email",
                "phone",
                "fax",
                "tax_id",
                "routing_number",
                "name_on_account",
                "first_name",
                "last_name",
                "card_number",
            )
        )
    }
    assert unmarked == set()
    for entity, name in [
        ("funding_accounts", "account_number"),
        ("vendors", "payment_information_bank_account_account_number"),
    ]:
        assert CATALOG[entity].column(name).sensitive


def test_documents_name_the_entities_they_belong_to():
    assert CATALOG["bills"].column("vendor_id").references == "vendors"
    assert CATALOG["vendor_payments"].column("funding_account_id").references == "funding_accounts"
    assert CATALOG["invoices"].column("customer_id").references == "customers"
    assert CATALOG["accounts"].column("parent_id").references == "accounts"


def test_every_entity_has_its_documentation_page():
    pages = [entity.docs for entity in CATALOG]
    v3 = "https://developer.bill.com/reference/list"
    v2 = "https://developersupport.bill.com/hc/en-us/articles/"
    assert all(entity.docs.startswith(v2 if entity.is_of_v2 else v3) for entity in CATALOG)
    assert len(set(pages)) == len(pages)


def test_an_entity_is_found_by_name():
    assert CATALOG["bills"].path == "/v3/bills"
    assert "bills" in CATALOG
    assert "invoice" not in CATALOG


def test_an_unknown_entity_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match=r"no entity 'bill'.*vendors, funding_accounts"):
        CATALOG["bill"]


def test_one_more_entity_takes_the_place_it_asks_for():
    extended = CATALOG.extended(PAYMENT_TERMS, after="vendors")
    assert extended.names()[:3] == ("vendors", "payment_terms", "funding_accounts")
    assert len(extended) == len(CATALOG) + 1
    assert "payment_terms" not in CATALOG


def test_one_more_entity_stands_at_the_end_by_default():
    assert CATALOG.extended(PAYMENT_TERMS).names()[-1] == "payment_terms"


def test_extending_behind_an_unknown_entity_is_refused():
    with pytest.raises(KeyError, match="no entity 'terms'"):
        CATALOG.extended(PAYMENT_TERMS, after="terms")


VENDORS, ACCOUNTS, BILLS = CATALOG["vendors"], CATALOG["accounts"], CATALOG["bills"]


_OPENING = model.Opening(
    "name", "bill_currency", "name", "missing", settles=model.Settles("steps", "bill_id", "amount")
)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "vendors"}, "table vendors is declared twice"),
        ({"singular": "vendor"}, "singular vendor is declared twice"),
        (
            {"children": (Child("vendors", "x", "X.", ()),)},
            "table vendors is declared twice",
        ),
        (
            {"columns": (model.text("name", "A."), model.text("name", "B."))},
            "column name is declared twice",
        ),
        ({"columns": (model.text("payload", "P."),)}, "payload is added to every such table"),
        ({"columns": (model.text("createdTime", "P."),)}, "created_time is added to every such table"),
        ({"columns": (model.text("a", "A.", name="Name"),)}, "Name is no name"),
        ({"columns": (model.text("a", "A.", name="n" * (LONGEST_NAME + 1)),)}, "is no name of at most 63"),
        (
            {"children": (Child("term_steps", "steps", "S.", (model.text("paymentTermId", "T."),)),)},
            "payment_term_id is added to every such table",
        ),
        (
            {"children": (Child("term_steps", "steps", "S.", (model.integer("position", "P."),)),)},
            "position is added to every such table",
        ),
        ({"columns": (model.reference("aId", "planets", "A."),)}, "references planets, which does not exist"),
        (
            {"children": (Child("term_steps", "steps", "S.", (model.reference("aId", "planets", "A."),)),)},
            "references planets, which does not exist",
        ),
        ({"touches": (("vendorId", "planets"),)}, "touches planets, which does not exist"),
        ({"touches": (("nowhere.id", "vendors"),)}, "through nowhere.id, which is not declared"),
        ({"cutoff": "name"}, "the cutoff looks at name, which is no date column"),
        ({"cutoff": "missing"}, "the cutoff looks at missing, which is no date column"),
        (
            {"other_lists": (model.OtherList("/v3/cards", ("kind", "CARD_ACCOUNT")),)},
            "has no column kind for the mark of /v3/cards",
        ),
        (
            {"stand_ins": (model.StandIns("bank_id", "bank_type", ("WALLET",)),)},
            "has no columns bank_id and bank_type, which name what needs stand-ins",
        ),
        (
            {
                "columns": (model.reference("vendorId", "vendors", "V."), model.text("kind", "K.")),
                "stand_ins": (model.StandIns("vendor_id", "kind", ("WALLET",)),),
            },
            "vendor_id references nothing that has the columns kind and named_by",
        ),
        ({"opening": _OPENING}, "has no cutoff, so that nothing is before it"),
        ({"opening": _OPENING}, "what is kept before the cutoff has no currency"),
        ({"opening": _OPENING}, "missing is no column"),
        ({"opening": _OPENING}, "steps does not say what is settled"),
        ({"settled": (("missing", ("PAID",)),)}, "is settled by missing, which is no column"),
        ({"settled": (("name", ("PAID",)),)}, "is settled by values of name that the column does not know"),
    ],
)
def test_a_contradicting_declaration_is_refused(change: dict[str, object], complaint: str):
    with pytest.raises(ValueError, match=complaint):
        CATALOG.extended(replace(PAYMENT_TERMS, **change), after="vendors")


def test_a_child_may_have_columns_named_like_the_common_ones_of_its_parent():
    child = Child("term_steps", "steps", "S.", (model.text("id", "I."), model.flag("archived", "A.")))
    assert "payment_terms" in CATALOG.extended(replace(PAYMENT_TERMS, children=(child,)))


def test_all_contradictions_are_told_at_once():
    with pytest.raises(ValueError, match=r"table vendors is declared twice.*singular vendor is declared twice"):
        Catalog((VENDORS, VENDORS))


def test_touched_places_may_lead_through_child_tables_and_nested_data():
    touched = ("billPayments.vendorCredits.id", "vendor_credits")
    assert touched in CATALOG["vendor_payments"].touches


def test_ids_of_samples_begin_with_the_declared_prefix():
    for entity in CATALOG:
        assert worlds.sample(entity.name)["id"].startswith(entity.id_prefix)


def test_shared_classification_columns_name_their_entity():
    (column,) = columns.classifications("jobId", of="the line")
    assert (column.name, column.references) == ("classifications_job_id", "jobs")


def test_common_columns_are_those_the_warehouse_adds():
    assert {"integration", "id", "payload", "deleted_at"} <= set(COMMON_COLUMNS)
