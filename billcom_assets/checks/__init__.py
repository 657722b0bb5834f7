"""Asset checks: prerequisites that block a full sync, and data quality that does not."""
