"""What a moved cutoff means for books that were posted under another one."""

from __future__ import annotations

from datetime import date, timedelta

from billcom_assets.books.summary import posted_at
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import cutoff_of


def moved_cutoff(warehouse: Warehouse, integration: str, before: date | None) -> tuple[str, ...]:
    """Sentences about the cutoff as it is now, which was ``before``; none where nothing was posted yet.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    with warehouse.read() as connection:
        after, is_posted = cutoff_of(connection, integration), posted_at(connection, integration) is not None
    if after == before or not is_posted:
        return ()
    if after is None or (before is not None and after < before):
        since = f"from {after} to" if after else "until"
        last = before - timedelta(days=1) if before else None
        return (
            f"The next sync posts documents dated {since} {last} as well. What the company's own opening balances hold "
            "of them must be taken out there, or it counts twice.",
        )
    return (f"What is posted of the days before {after} stays in the books and goes on following BILL.",)
