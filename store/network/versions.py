"""Networks as they stood: nodes and tariffs, kept once under a digest, so that a decision can be made again on them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(slots=True)
class Network:
    """The digest of nodes and tariffs, and their document until it is known to be kept."""

    digest: str
    document: str | None

    @classmethod
    def of(cls, nodes: Sequence[object], tariffs: Sequence[object]) -> "Network":
        """The network of these documents."""
        document = json.dumps({"nodes": nodes, "tariffs": tariffs}, sort_keys=True, separators=(",", ":"))
        return cls(sha256(document.encode()).hexdigest(), document)


_KEEP = text("""
INSERT INTO networks (digest, document) VALUES (:digest, CAST(:document AS jsonb)) ON CONFLICT DO NOTHING RETURNING true
""")


async def keep(connection: AsyncConnection, network: Network) -> None:
    """See to it that the network is kept, in the transaction of the decision that needs it.

    Who writes the row cannot know whether it will be committed; who finds it there does, and never asks again.
    """
    if network.document is None:
        return
    written = await connection.scalar(_KEEP, {"digest": network.digest, "document": network.document})
    if not written:
        network.document = None
