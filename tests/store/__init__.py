"""Repositories and SQL against a real PostgreSQL."""
