"""How far an integration is: connection, setup, pulls, freshness and what waits for somebody."""
