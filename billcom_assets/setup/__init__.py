"""What must hold before a full sync may run: each condition, what was found, and the command that makes it hold."""
