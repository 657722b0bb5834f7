"""The books: posting policy, the rules by which BILL's documents are posted, and what of them is held."""
