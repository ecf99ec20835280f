"""Holds in the database.

holds     those of an order: put on, released, shown
policies  the versions of the hold policy
"""
