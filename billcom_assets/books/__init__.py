"""The company's books: how BILL's documents post, what became of each, and the proof that they agree with BILL."""
