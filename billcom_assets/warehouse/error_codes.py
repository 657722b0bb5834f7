"""The codes of ``integration_errors``: what can be wrong with a record, or with a list as a whole."""

from __future__ import annotations

from typing import Final

UNREADABLE: Final = "unreadable"
"""BILL sends a value that its column cannot hold; the last readable version of the record stays."""
V2_UNREADABLE: Final = "v2_unreadable"
"""BILL's v2 API sends a value that its column cannot hold; what v2 said before stays."""
BAD_REFERENCE: Final = "bad_reference"
"""A record names another by something that is no id, or that BILL refuses to show."""
MASS_DISAPPEARANCE: Final = "mass_disappearance"
"""Much of a list is gone at once, which is not believed yet."""
MERGED_APART: Final = "merged_apart"
"""An object was merged into another in BILL, and the two are mapped to different records of the ledger."""
NOT_PERMITTED: Final = "not_permitted"
"""BILL does not show a list to this login; what is stored of it stays as it is."""
