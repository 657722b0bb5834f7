"""The BILL API: credentials, sessions, limits, errors, v3 and v2 calls. Knows nothing of databases or Dagster."""
