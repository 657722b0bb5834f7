"""The books as files: journals that beancount and hledger check, and CSV for spreadsheets and accounting programs."""
