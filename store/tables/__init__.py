"""The schema. Every rule the database can hold, it holds: keys, foreign keys, and checks against impossible numbers.

`tests/store/database/test_migrations.py` compares these tables with what the migrations build.
"""

from store.tables import (
    access,
    bulk,
    cancellations,
    channels,
    collections,
    connections,
    corrections,
    exceptions,
    feeds,
    holds,
    inbox,
    network,
    orders,
    outbox,
    questions,
    reallocation,
    rehearsals,
    returns,
    searching,
    stock,
    values,
)
from store.tables.common import metadata

__all__ = [
    "access",
    "bulk",
    "cancellations",
    "channels",
    "collections",
    "connections",
    "corrections",
    "exceptions",
    "feeds",
    "holds",
    "inbox",
    "metadata",
    "network",
    "orders",
    "outbox",
    "questions",
    "reallocation",
    "rehearsals",
    "returns",
    "searching",
    "stock",
    "values",
]
