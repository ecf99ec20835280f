"""Recorded histories of orders replay under the present workflow code."""
