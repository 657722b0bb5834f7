"""What may be shown of text that others wrote: without secrets, without personal data, and as text only."""
