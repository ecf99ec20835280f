"""Bulk runs over HTTP."""
