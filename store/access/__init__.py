"""Who may call the API, and what callers did.

api_keys         keys of channels, nodes, carriers, people and programs: only a hash of the secret is kept
signing_secrets  what carriers sign their messages with
visibility       what callers with limits see
audit            the log of every change that a caller asked for
"""
