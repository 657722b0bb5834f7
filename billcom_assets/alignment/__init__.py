"""Bringing BILL's chart of accounts in line with the ledger's: plan, approve, apply, undo."""
