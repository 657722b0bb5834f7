"""BILL (Bill.com) kept together with the books, as Dagster assets over your own SQL database."""
