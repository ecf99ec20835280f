"""Tests of orders that come in files."""
