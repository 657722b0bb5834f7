"""Files attached in BILL: which there are, and their content, kept once per integration and digest."""
