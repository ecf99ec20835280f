"""Workflows on a Temporal server whose time can be skipped."""
