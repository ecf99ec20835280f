"""Carriers: the port, and the table-rate carrier behind it."""
