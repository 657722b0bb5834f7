"""What one can do to a company's books, keeping every sum right: API writes and random changes both go through here."""
