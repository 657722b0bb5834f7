"""What leaves and reaches the company's bank accounts."""

from __future__ import annotations

from billcom_assets.entities.model import Child, Entity, Group, Walk, date, enum, money, reference, text

MONEY_MOVEMENTS = Entity(
    name="money_movements",
    singular="money_movement",
    path="/api/v2/List/MoneyMovement.json",
    id_prefix="mmt",
    group=Group.PAYABLES,
    walk=Walk.INCREMENTAL,
    gated=True,
    description="Lump sums in which BILL takes money from the company's bank accounts and brings it there, as the bank "
    "statement shows them. Only BILL's v2 API knows them. One row per movement.",
    docs="https://developersupport.bill.com/hc/en-us/articles/208196706-MoneyMovement",
    repeats=("entity",),
    columns=(
        text("name", "Confirmation number of the transfer, as it stands on the bank statement."),
        enum(
            "type",
            ("1", "2", "3", "4"),
            "1 for what vendors are paid with, 2 for what customers have paid, 3 when BILL's balance is filled, 4 when "
            "it is withdrawn.",
        ),
        money("amount", "What reached the bank account, in US dollars; negative for what left it."),
        date("processDate", "Day on which the bank account is debited or credited."),
        enum("status", ("0", "1", "2"), "0 when the money is under way, 1 when the bank confirmed it, 2 when voided."),
        reference("bankAccountId", "funding_accounts", "Bank account that the money left or reached."),
        text("description", "Free text on the movement; null when there is none."),
    ),
    children=(
        Child(
            "money_movement_items",
            "moneyMovementItems",
            "What a movement consists of. BILL names no payment, only the party and the amount.",
            (
                text("id", "BILL's id of the item; it begins with mmi."),
                money("amount", "Part of the movement, in US dollars."),
                text("name", "Name of the vendor or customer."),
            ),
            repeats=("entity", "moneyMovementId", "createdTime", "updatedTime"),
        ),
    ),
)
