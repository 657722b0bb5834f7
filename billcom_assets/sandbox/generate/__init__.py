"""The books of small invented companies, deterministic for a seed."""
