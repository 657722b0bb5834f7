"""What can go wrong with the company's own database."""

from __future__ import annotations


class WarehouseError(Exception):
    """The database cannot be used; the text says which one, what happened and the next step. Never holds a password."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(f"{message} {next_step}")
        self.message = message
        self.next_step = next_step


class Busy(WarehouseError):
    """Another process holds what this one needs."""
