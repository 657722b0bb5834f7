"""What v2 describes: an object, or a part of one, of an organization."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.amounts import funding_cents
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.organization import Organization


@dataclass(frozen=True, slots=True)
class Subject:
    """An object, or a part of one such as a line, on its way into v2.

    Attributes:
        organization: Where it lives.
        doc: The whole object, with ``hidden`` for what v3 does not show.
        part: The part of it, or the object itself.
    """

    organization: Organization
    doc: Doc
    part: Doc

    def at(self, path: str) -> Any:
        """The value at a path of the part, or of the whole object after ``doc.``; None where there is none."""
        first, _, rest = path.partition(".")
        held: Any = self.doc if first == "doc" else self.part
        for name in (rest if first == "doc" else path).split("."):
            held = held.get(name) if held is not None else None
        return held

    def parts(self, docs: Iterable[Doc]) -> list[Subject]:
        """Parts of the same object."""
        return [Subject(self.organization, self.doc, doc) for doc in docs]

    def usd(self, amount: Any) -> Decimal:
        """US dollars of an amount in the document's currency."""
        meaning = self.organization.readings.settings.exchange_rate
        return self.organization.money(funding_cents(cents(amount), self.rate, meaning))

    @property
    def rate(self) -> Decimal | int | None:
        """The document's exchange rate, which v3 does not show of every kind; None in US dollars."""
        rate: Decimal | int | None = self.doc.get("exchangeRate") or self.at("doc.hidden.exchangeRate")
        return rate

    def is_foreign(self) -> bool:
        """The document is in another currency than US dollars."""
        return self.rate not in (None, 1)
