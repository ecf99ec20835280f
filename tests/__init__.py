"""Tests, by what they need to run: `unit` nothing, `store` PostgreSQL, the others Temporal and the servers too."""
