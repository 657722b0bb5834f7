"""Alembic migrations of the tables that are ours; mirror tables follow the entity catalog (see warehouse.migrate)."""
