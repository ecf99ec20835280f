"""Who may call the API, and what callers did.

credentials      API keys and signing secrets: found, listed, ended, and when each was used last
api_keys         keys of channels, nodes, carriers, people and programs: only a hash of the secret is kept
signing_secrets  what carriers sign their messages with
visibility       what callers with limits see
audit            the log of every change that a caller asked for
"""
