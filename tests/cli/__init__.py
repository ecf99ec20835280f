"""The `dom` command as a person types it."""
