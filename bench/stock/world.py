"""What is sold in the bench: nodes, SKUs and more units than a bench can sell, with their ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.channels.channel import Channel, ChannelRule
from dom.network import Node, NodeAddress, NodeKind, Sku
from dom.sourcing.policy.document import Policy, Strategy
from store import channels
from store.network import reference
from store.policy import policies

PLENTY = 100_000_000
CHANNEL = "web"


async def write(engine: AsyncEngine, nodes: Iterable[int], skus: int) -> None:
    """Nodes of these numbers (n1, n2 ...), SKUs s1, s2 ..., and a channel with a rule, as most will have."""
    async with engine.begin() as connection:
        for number in nodes:
            await reference.put_node(connection, _node(number))
        await reference.put_skus(connection, (_sku(number) for number in range(1, skus + 1)))
        await policies.publish_policy(
            connection, Policy(name="bench", strategies=(Strategy(name="everything"),)), "bench"
        )
        await channels.put(connection, Channel(id=CHANNEL, name="Web"))
        await channels.replace_rules(connection, CHANNEL, [ChannelRule(buffer=1)])


async def stock_all(engine: AsyncEngine, but: str) -> None:
    """Plenty of every SKU at every node but one."""
    await _opened(engine, _EVERYWHERE, {"units": PLENTY, "but": but})


async def restock(engine: AsyncEngine, skus: Iterable[str], node_id: str, units: int) -> None:
    """So many units more of these SKUs at a node."""
    await _opened(engine, _THERE, {"units": units, "skus": list(skus), "node_id": node_id})


async def settle(engine: AsyncEngine) -> None:
    """What was written is on the disk and counted: the first round is no different from the last."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            await connection.execute(text(statement))


async def _opened(engine: AsyncEngine, rows: str, parameters: dict[str, object]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(_OPEN.format(rows=rows)), parameters)


_EVERYWHERE = "SELECT n.id AS node_id, k.id AS sku FROM nodes n CROSS JOIN skus k WHERE n.id <> :but"
_THERE = "SELECT CAST(:node_id AS text) AS node_id, sku FROM unnest(CAST(:skus AS text[])) AS w (sku)"
_OPEN = """
WITH opened AS (
    INSERT INTO stock AS s (node_id, sku, on_hand) SELECT node_id, sku, CAST(:units AS int) FROM ({rows}) r
    ON CONFLICT (node_id, sku) DO UPDATE SET on_hand = s.on_hand + EXCLUDED.on_hand RETURNING node_id, sku
)
INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, business_key, actor, occurred_at)
SELECT node_id, sku, 'receipt', :units, 'bench/' || gen_random_uuid(), 'bench', now() FROM opened
"""


def _node(number: int) -> Node:
    return Node(
        id=f"n{number}",
        name=f"Node {number}",
        kind=NodeKind.WAREHOUSE,
        address=NodeAddress(lines=("1 Yard",), city="Town", country="GB"),
        latitude=52.0,
        longitude=-1.0,
        time_zone="Europe/London",
        opening_hours="Mo-Sa 08:00-18:00",
        cut_off=time(16),
        daily_capacity=100_000,
    )


def _sku(number: int) -> Sku:
    return Sku(id=f"s{number}", weight_grams=400, length_mm=50, width_mm=50, height_mm=50)
