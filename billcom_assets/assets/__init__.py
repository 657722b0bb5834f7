"""The asset graph: pulls of BILL's entities, and what is made of them."""
