"""The company's own books beside BILL's: reference data, mappings, and whether the setup is complete."""
