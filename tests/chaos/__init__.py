"""Servers killed in the middle of the work, and stock under many clients at once."""
