"""Numbers with their nouns, in the right form."""

from __future__ import annotations


def counted(number: int, one: str, many: str) -> str:
    """The number before ``one`` or ``many``, each a noun with what agrees with it: "1 vendor is", "2 vendors are"."""
    return f"{number:,} {one if number == 1 else many}"


def singular(many: str) -> str:
    """The singular of a name in our catalogs, such as ``vendor credits`` or ``accounting classes``."""
    return many.removesuffix("es") if many.endswith("classes") else many.removesuffix("s")
