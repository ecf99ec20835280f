"""Credentials of other systems: kept outside the database, and read by name.

port         what the system asks of a secret store
folder       one file a secret, readable by its owner alone
environment  environment variables
"""
