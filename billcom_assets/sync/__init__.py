"""Moves entities from BILL to the warehouse: windows, pages, watermarks, checkpoints."""
