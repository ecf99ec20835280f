"""Publishing a policy: looked at against the live network, then the next version, in one transaction.

Two who publish at once come one after the other; the second sees the first one's version.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.delivery.tariffs import Tariff
from dom.documents.findings import Finding
from dom.network import Node
from dom.shared.errors import Conflict
from dom.sourcing.policy.checking import linted
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.lint import Known
from dom.sourcing.policy.reading import Reading, read
from dom.sourcing.policy.writing import as_yaml
from store import channels
from store.policy import drafts, policies

MOST_VALUES = 500
"""Of an attribute with more values than these none is listed: it is a number or a text, not a choice."""


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing: the live version, whether it is a new one, and the warnings that were passed over."""

    version: int
    name: str
    is_new: bool
    findings: tuple[Finding, ...]


_NETWORK = text("""
SELECT (SELECT coalesce(jsonb_agg(document ORDER BY id), '[]') FROM nodes) AS nodes,
       (SELECT coalesce(jsonb_agg(document ORDER BY carrier), '[]') FROM tariffs) AS tariffs
""")


async def known(connection: AsyncConnection) -> Known:
    """What a policy can speak of: the nodes, carriers and channels there are, and the SKUs' attributes in use."""
    row = (await connection.execute(_NETWORK)).one()
    return Known(
        nodes=tuple(Node.model_validate(document) for document in row.nodes),
        tariffs=tuple(Tariff.model_validate(document) for document in row.tariffs),
        channels=tuple(channel.id for channel in await channels.everyone(connection)),
        attributes=await attributes(connection),
    )


async def attributes(connection: AsyncConnection) -> dict[str, frozenset[str] | None]:
    """The values in use of each attribute that SKUs have, by its name; None where they are too many to list."""
    rows = await connection.execute(
        text("""
        SELECT name, CASE WHEN count(DISTINCT value) <= :most THEN array_agg(DISTINCT value) END AS values
        FROM skus, jsonb_each_text(coalesce(document->'attributes', '{}')) AS a (name, value) GROUP BY name
        """),
        {"most": MOST_VALUES},
    )
    return {name: None if values is None else frozenset(values) for name, values in rows}


async def publish(
    connection: AsyncConnection,
    reading: Reading,
    by: str,
    *,
    comment: str = "",
    based_on: int | None = None,
    restores: int | None = None,
) -> Published:
    """Publish what was read; it acts on the next order. What is live already makes no new version.

    PolicyInvalid if it has errors; Conflict if `based_on` is named and another version is live.
    """
    await policies.one_at_a_time(connection)
    live = await policies.find(connection)
    if based_on is not None and (live.version if live else 0) != based_on:
        raise _moved_on(based_on, live)
    checked = linted(reading, await known(connection))
    policy = checked.publishable()
    if live is not None and live.policy == policy:
        return Published(live.version, policy.name, is_new=False, findings=checked.findings)
    version = await policies.publish_policy(
        connection, policy, by, comment=comment, source=reading.placed.text, restores=restores
    )
    return Published(version, policy.name, is_new=True, findings=checked.findings)


async def restore(connection: AsyncConnection, version: int, by: str, *, comment: str = "") -> Published:
    """Bring an earlier version back, as the next one. NotFound if it was never published; else as `publish`."""
    earlier = await policies.get(connection, version)
    reading = read(text_of(earlier.policy, earlier.source))
    said = comment or f"back to version {version}"
    return await publish(connection, reading, by, comment=said, restores=version)


async def publish_draft(connection: AsyncConnection, name: str, by: str, *, comment: str | None = None) -> Published:
    """Publish a draft and throw it away. Without a comment its own.

    NotFound if there is none; Conflict if another version went live since it was begun; else as `publish`.
    """
    await policies.one_at_a_time(connection)
    draft = await drafts.delete(connection, name)
    said = draft.comment if comment is None else comment
    return await publish(connection, read(draft.source), by, comment=said, based_on=draft.based_on)


def text_of(policy: Policy, source: str | None) -> str:
    """The text a policy was written in, as far as it still says the same; else one made of it."""
    if source is not None and read(source).document == policy:
        return source
    return as_yaml(policy)


def _moved_on(based_on: int, live: policies.PublishedPolicy | None) -> Conflict:
    if live is None:
        return Conflict(f"it was begun from version {based_on}, and none is published", field="based_on")
    return Conflict(
        f"it was begun from version {based_on}; {live.published_by} has published version {live.version} since: "
        f"look at the difference, then base it on version {live.version}",
        field="based_on",
        data={"live": live.version},
    )
