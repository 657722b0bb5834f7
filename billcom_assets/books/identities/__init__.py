"""What must always hold of the books, each with what it compares and what it allows for."""
