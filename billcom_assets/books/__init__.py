"""The books: what the mirrored BILL documents become in the company's ledger."""
