"""What changes seldom: nodes, tariffs, the policy, SKUs, places. A process remembers it until the version moves."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.delivery.tariffs import Tariff
from dom.holds.policy import DEFAULT, HoldPolicy
from dom.network import Node, Sku
from dom.shared.access import NETWORK
from dom.shared.errors import NotFound
from dom.shared.money import refuse_unknown
from dom.sourcing.policy.document import Policy
from store.database import reference_version
from store.database.reference_version import bump
from store.ledger.announcements import Affected, announce
from store.network.versions import Network


@dataclass(frozen=True, slots=True)
class Reference:
    """Nodes, tariffs, the live policy and the hold policy at one version."""

    version: int
    nodes: tuple[Node, ...]
    tariffs: tuple[Tariff, ...]
    policy: Policy
    policy_version: int
    network: Network
    hold_policy: HoldPolicy

    def node(self, node_id: str) -> Node:
        """The node of that id. Raises NotFound."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise NotFound(f"there is no node {node_id}")


class ReferenceCache:
    """Remembers the reference data of the last version seen; cheap to ask in every transaction."""

    def __init__(self) -> None:
        self._known: Reference | None = None
        self._skus: dict[str, Sku] = {}

    async def at(self, connection: AsyncConnection, version: int) -> Reference:
        """The reference data of that version, read anew if it is not the one remembered."""
        if self._known is None or self._known.version != version:
            self._known = await load(connection)
            self._skus.clear()
        return self._known

    @property
    def last_seen(self) -> Reference:
        """The reference data that was read last. Ask once something was planned with it."""
        if self._known is None:
            raise RuntimeError("no reference data was read yet")
        return self._known

    async def now(self, connection: AsyncConnection) -> Reference:
        """The reference data as it is."""
        return await self.at(connection, await reference_version.version(connection))

    def sku(self, document: dict[str, object]) -> Sku:
        """The SKU as a model; built once a version."""
        sku_id = str(document["id"])
        if sku_id not in self._skus:
            self._skus[sku_id] = Sku.model_validate(document)
        return self._skus[sku_id]


async def load(connection: AsyncConnection) -> Reference:
    """Nodes, tariffs and the live policy, in one consistent read. Raises NotFound if no policy was published."""
    row = (
        (
            await connection.execute(
                text("""
            SELECT (SELECT version FROM reference_state) AS version,
                   (SELECT coalesce(jsonb_agg(document ORDER BY id), '[]') FROM nodes) AS nodes,
                   (SELECT coalesce(jsonb_agg(document ORDER BY carrier), '[]') FROM tariffs) AS tariffs,
                   (SELECT document FROM hold_policies ORDER BY version DESC LIMIT 1) AS hold_policy,
                   p.document AS policy, p.version AS policy_version
            FROM policies p ORDER BY p.version DESC LIMIT 1
            """)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("no OFL policy is published; `dom seed` publishes the default one")
    return Reference(
        version=row["version"],
        nodes=tuple(Node.model_validate(document) for document in row["nodes"]),
        tariffs=tuple(Tariff.model_validate(document) for document in row["tariffs"]),
        policy=Policy.model_validate(row["policy"]),
        policy_version=row["policy_version"],
        network=Network.of(row["nodes"], row["tariffs"]),
        hold_policy=DEFAULT if row["hold_policy"] is None else HoldPolicy.model_validate(row["hold_policy"]),
    )


async def put_node(connection: AsyncConnection, node: Node) -> bool:
    """Create or replace a node; True if it is new. One that is switched on or off changes what may be promised.

    Raises InvalidInput for a currency that is none.
    """
    refuse_unknown(node.currency)
    was_active = await connection.scalar(
        text("SELECT active FROM nodes WHERE id = :id FOR NO KEY UPDATE"), {"id": node.id}
    )
    created = await connection.scalar(
        text("""
        INSERT INTO nodes (id, kind, country, active, daily_capacity, document)
        VALUES (:id, :kind, :country, :active, :daily_capacity, CAST(:document AS jsonb))
        ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind, country = EXCLUDED.country, active = EXCLUDED.active,
            daily_capacity = EXCLUDED.daily_capacity, document = EXCLUDED.document, updated_at = now()
        RETURNING xmax = 0
        """),
        {
            "id": node.id,
            "kind": node.kind,
            "country": node.address.country,
            "active": node.active,
            "daily_capacity": node.daily_capacity,
            "document": node.model_dump_json(),
        },
    )
    await bump(connection)
    if was_active is not None and was_active != node.active:
        switch = "on" if node.active else "off"
        await announce(connection, {Affected(node_id=node.id)}, reason=f"node switched {switch}", actor=NETWORK)
    return bool(created)


async def get_node(connection: AsyncConnection, node_id: str) -> Node:
    """The node. Raises NotFound."""
    document = await connection.scalar(text("SELECT document FROM nodes WHERE id = :id"), {"id": node_id})
    if document is None:
        raise NotFound(f"there is no node {node_id}")
    return Node.model_validate(document)


async def node_ids(connection: AsyncConnection) -> frozenset[str]:
    """The codes of all nodes."""
    return frozenset(await connection.scalars(text("SELECT id FROM nodes")))


_RELEASED_OTHERWISE = text("""
SELECT s.id FROM skus s JOIN jsonb_array_elements(CAST(:documents AS jsonb)) AS d ON d->>'id' = s.id
WHERE s.document->>'release_on' IS DISTINCT FROM d->>'release_on'
""")


async def put_skus(connection: AsyncConnection, skus: Iterable[Sku]) -> int:
    """Create or replace SKUs; answers how many are new. Another release date changes what may be promised.

    Raises InvalidInput for a currency that is none.
    """
    given = list(skus)
    for currency in {sku.currency for sku in given}:
        refuse_unknown(currency)
    documents = "[" + ",".join(sku.model_dump_json() for sku in given) + "]"
    moved = await connection.scalars(_RELEASED_OTHERWISE, {"documents": documents})
    released_otherwise = {Affected(sku=sku) for sku in moved}
    rows = await connection.execute(
        text("""
        INSERT INTO skus (id, document)
        SELECT d->>'id', d FROM jsonb_array_elements(CAST(:documents AS jsonb)) AS d
        ON CONFLICT (id) DO UPDATE SET document = EXCLUDED.document, updated_at = now()
        RETURNING xmax = 0
        """),
        {"documents": documents},
    )
    created = sum(1 for (new,) in rows if new)
    await bump(connection)
    await announce(connection, released_otherwise, reason="another release date", actor=NETWORK)
    return created


async def get_sku(connection: AsyncConnection, sku_id: str) -> Sku:
    """The SKU. Raises NotFound."""
    document = await connection.scalar(text("SELECT document FROM skus WHERE id = :id"), {"id": sku_id})
    if document is None:
        raise NotFound(f"there is no SKU {sku_id}")
    return Sku.model_validate(document)


_SUBSTITUTES = text("""
SELECT DISTINCT d->>'sku' FROM skus s, jsonb_array_elements(s.document->'substitutes') AS d WHERE s.id = ANY(:skus)
""")


async def approved_substitutes(connection: AsyncConnection, skus: Iterable[str]) -> set[str]:
    """What the catalogue lets stand for any of the SKUs; it need not hold them itself."""
    return set((await connection.scalars(_SUBSTITUTES, {"skus": sorted(skus)})).all())


async def put_tariffs(connection: AsyncConnection, tariffs: Iterable[Tariff]) -> None:
    """Create or replace carriers' table rates. Raises InvalidInput for a currency that is none."""
    for tariff in tariffs:
        refuse_unknown(tariff.currency)
        await connection.execute(
            text("""
            INSERT INTO tariffs (carrier, document) VALUES (:carrier, CAST(:document AS jsonb))
            ON CONFLICT (carrier) DO UPDATE SET document = EXCLUDED.document, updated_at = now()
            """),
            {"carrier": tariff.carrier, "document": tariff.model_dump_json()},
        )
    await bump(connection)


async def has_carrier(connection: AsyncConnection, carrier: str) -> bool:
    """Whether anything can go by the carrier: there is a tariff of it."""
    found = text("SELECT EXISTS (SELECT FROM tariffs WHERE carrier = :carrier)")
    return bool(await connection.scalar(found, {"carrier": carrier}))
