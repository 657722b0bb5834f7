"""The company's own SQL database: tables, bulk loading, migrations and what differs between SQLite and PostgreSQL."""
