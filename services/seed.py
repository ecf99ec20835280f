"""Fills an empty database with the sample: nodes, SKUs, stock, tariffs, channels, places, watches, the first policy."""

import asyncio
import csv
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.channel import Channel, ChannelRule
from dom.delivery.tariffs import Tariff
from dom.network import Node, Sku
from dom.shared.access import SEED
from dom.sourcing.policy.reading import read_policy
from dom.watches import Watch
from services import watches as use_cases
from store import channels
from store.database import engine as database
from store.network import reference
from store.policy import policies

ACTOR = SEED


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What was written; all zero if the database held a network already."""

    nodes: int = 0
    skus: int = 0
    stock: int = 0
    places: int = 0
    carriers: int = 0
    channels: int = 0
    watches: int = 0
    policy_version: int = 0


def seed(database_url: str, data_folder: Path) -> SeedReport:
    """Write the sample network from `data_folder`, in one transaction. Does nothing to a database with nodes in it."""
    return asyncio.run(_seed(database_url, data_folder))


def is_empty(database_url: str) -> bool:
    """Whether no node is known yet."""
    return asyncio.run(_is_empty(database_url))


async def _is_empty(database_url: str) -> bool:
    engine = database.create(database_url, 1)
    try:
        async with engine.connect() as connection:
            return not await _has_nodes(connection)
    finally:
        await engine.dispose()


async def _has_nodes(connection: AsyncConnection) -> bool:
    return bool(await connection.scalar(text("SELECT EXISTS (SELECT FROM nodes)")))


async def _seed(database_url: str, data_folder: Path) -> SeedReport:
    engine = database.create(database_url, 1)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE"))
            if await _has_nodes(connection):
                return SeedReport()
            return await _write(connection, data_folder)
    finally:
        await engine.dispose()


async def _write(connection: AsyncConnection, folder: Path) -> SeedReport:
    sample = folder / "sample"
    nodes = [Node.model_validate(document) for document in json.loads((sample / "network.json").read_text())["nodes"]]
    tariffs = [Tariff.model_validate(document) for document in json.loads((sample / "tariffs.json").read_text())]
    policy = (sample / "policy.yaml").read_text()
    skus = [_sku(row) for row in _table(sample / "skus.csv.xz", ",")]
    for node in nodes:
        await reference.put_node(connection, node)
    await reference.put_skus(connection, skus)
    await reference.put_tariffs(connection, tariffs)
    described = json.loads((sample / "channels.json").read_text())
    for entry in described:
        channel = Channel.model_validate(entry["channel"])
        await channels.put(connection, channel)
        rules = [ChannelRule.model_validate(rule) for rule in entry["rules"]]
        await channels.replace_rules(connection, channel.id, rules)
    watches = [Watch.model_validate(document) for document in json.loads((sample / "watches.json").read_text())]
    for watch in watches:
        await use_cases.put(connection, watch, ACTOR)
    return SeedReport(
        watches=len(watches),
        nodes=len(nodes),
        skus=len(skus),
        carriers=len(tariffs),
        channels=len(described),
        policy_version=await policies.publish_policy(connection, read_policy(policy), ACTOR, source=policy),
        stock=await _stock(connection, list(_table(sample / "stock.csv.xz", ","))),
        places=await _places(connection, list(_table(folder / "places" / "postal_codes.tsv.xz", "\t"))),
    )


def _table(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def _sku(row: dict[str, str]) -> Sku:
    renamed = {"sku": "id", "list_price_minor": "list_price"}
    return Sku.model_validate_strings({renamed.get(column, column): value for column, value in row.items()})


async def _stock(connection: AsyncConnection, rows: list[dict[str, str]]) -> int:
    """Opening balances, each with the ledger entry that makes it."""
    await connection.execute(
        text("""
        WITH given AS (
            SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                AS g (node_id text, sku text, on_hand int, safety_stock int)
        ), opened AS (
            INSERT INTO stock (node_id, sku, on_hand, safety_stock)
            SELECT node_id, sku, on_hand, safety_stock FROM given
        )
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, safety_delta, business_key, reason, actor,
                                  occurred_at)
        SELECT node_id, sku, 'opening', on_hand, safety_stock, 'seed', 'opening stock', :actor, now() FROM given
        WHERE on_hand > 0 OR safety_stock > 0
        """),
        {"rows": json.dumps([_counted(row) for row in rows]), "actor": ACTOR},
    )
    return len(rows)


def _counted(row: dict[str, str]) -> dict[str, Any]:
    return {
        "node_id": row["node_id"],
        "sku": row["sku"],
        "on_hand": int(row["on_hand"]),
        "safety_stock": int(row["safety_stock"]),
    }


async def _places(connection: AsyncConnection, rows: list[dict[str, str]]) -> int:
    await connection.execute(
        text("""
        INSERT INTO places (country, code, latitude, longitude)
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS p (country text, postal_code text, latitude float, longitude float)
        """),
        {"rows": json.dumps(rows)},
    )
    return len(rows)
