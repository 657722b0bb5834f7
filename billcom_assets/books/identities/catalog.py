"""The identities, in their order."""

from __future__ import annotations

from typing import Final

from billcom_assets.books.identities.clearing import CLEARING
from billcom_assets.books.identities.conservation import CONSERVATION
from billcom_assets.books.identities.entry_balance import ENTRY_BALANCE
from billcom_assets.books.identities.exported_balances import EXPORTED_BALANCES
from billcom_assets.books.identities.findings import Identity
from billcom_assets.books.identities.from_scratch import FROM_SCRATCH
from billcom_assets.books.identities.imported_bills import IMPORTED_BILLS
from billcom_assets.books.identities.open_payables import OPEN_PAYABLES
from billcom_assets.books.identities.payables import PAYABLES
from billcom_assets.books.identities.reversals import REVERSALS

IDENTITIES: Final[tuple[Identity, ...]] = (
    ENTRY_BALANCE,
    CONSERVATION,
    PAYABLES,
    IMPORTED_BILLS,
    OPEN_PAYABLES,
    CLEARING,
    REVERSALS,
    EXPORTED_BALANCES,
    FROM_SCRATCH,
)
