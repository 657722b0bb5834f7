"""Links between the objects of BILL and those of the ledger: matching, deciding, and the review file."""
