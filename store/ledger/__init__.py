"""The stock ledger as a log: how far its readers have come, and what is announced in it.

announcements  news that no unit's move brings: what may be promised of a SKU changed by a rule, a
               switch or a release date
cursors        how far a reader of the stock ledger has come
"""
