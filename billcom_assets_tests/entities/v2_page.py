"""Writes ``docs/v2-only.md``: what is different for an integration that reads v2 alone.

python -m billcom_assets_tests.entities.v2_page
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.v2_shapes import differences, not_in_v2

PAGE = Path(__file__).parents[2] / "docs" / "v2-only.md"
_HEAD = """# Reading BILL's v2 API alone

Where v3 refuses a developer key, `billcom connect KEY --api v2` signs in to v2 and reads its lists in place of v3's.
The tables are the same, and wherever both APIs have something, so are the rows: a test syncs one organization through
both and compares every column that is not named here. `payload` holds v2's record in v3's shape.

Left out, because v2 has no such list: {lacking}.

Cards of BILL's and the balance at BILL are not in `funding_accounts`, `invoice_payments` is empty
(`receivable_payment_invoices` has the payments), and files are kept of bills and vendor credits only, a picture a page.

| table | column | with v2 alone |
|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    entities = tuple(CATALOG)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entity in (one for one in entities if not one.is_of_v2 and one.name not in not_in_v2(entities)):
        for table, column, why in differences(entity):
            found[table, why].append(f"`{column}`")
    lines = [f"| `{table}` | {', '.join(columns)} | {why} |" for (table, why), columns in found.items()]
    lacking = ", ".join(f"`{name}`" for name in not_in_v2(entities))
    return _HEAD.format(lacking=lacking) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
