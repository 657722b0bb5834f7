"""The company's own records: files in, tables out."""
