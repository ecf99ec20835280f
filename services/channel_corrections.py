"""Corrections of what channels send: made or proposed at a message's turn, written down with what became of it, and
accepted or rejected by people.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.correcting import engine, learned, skus
from dom.channels.correcting.case import KnownSkus
from dom.channels.correcting.engine import Correcting
from dom.channels.corrections import LEARNED, CorrectionStatus, FieldCorrection
from dom.channels.faults import FaultCode, MessageFault, shown
from dom.channels.mapping import paths
from dom.channels.mapping.applying import Mapped, apply
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.outcomes import REPLAYED, MessageOutcome
from dom.shared.errors import Conflict
from dom.shared.texts import keepable
from services import channel_inbox
from services.channel_inbox import Replayed
from services.database import Database
from store.inbox import correction_rules, corrections, mappings, messages, sku_matches
from store.inbox.messages import SettledMessage

_LOG: Final = logging.getLogger(__name__)


MessageRow = RowMapping | dict[str, Any]
"""What is asked of a message: `id`, `repairs` and `replays`."""


async def correct(
    database: Database, channel: str, row: MessageRow, mapping: ChannelMapping, mapped: Mapped
) -> Correcting:
    """Correct what a mapping made of a message. A person's repairs stand, and what a person rejected is not made."""
    async with database.statement() as connection:
        about = [each for each in learned.values(mapped.order, mapped.faults) if keepable(each) == each]
        rules = await correction_rules.live(connection, channel, about)
        rejected = await corrections.rejected(connection, row["id"]) if row["replays"] else frozenset()
        correcting = engine.begin(mapped, mapping=mapping, repairs=row["repairs"], rejected=rejected)
        correcting.tidy(rules)
        await _match_skus(connection, channel, correcting)
    for name in correcting.failed:
        _LOG.error("rule %s failed over message %s of %s", name, row["id"], channel)
    return correcting


async def _match_skus(connection: AsyncConnection, channel: str, correcting: Correcting) -> None:
    # What PostgreSQL cannot keep no SKU has; the statement would fail, and the message be tried for ever.
    codes = [code for code in correcting.codes() if isinstance(code, str) and keepable(code) == code]
    names = {str(line.get("sku") or ""): keepable(str(line.get("name") or "")) for _, line in correcting.case.lines()}
    held = await sku_matches.held(connection, codes)
    unknown = [code for code in codes if code not in held and code]
    if not unknown:
        correcting.match_skus(KnownSkus(held))
        return
    keys = {code: [key for key, _ in skus.keys(code)] for code in unknown}
    by_key = await sku_matches.by_form(connection, sorted({key for each in keys.values() for key in each}))
    by_form = {code: next((by_key[key] for key in of_code if key in by_key), ()) for code, of_code in keys.items()}
    left = [(code, names.get(code, "")) for code in unknown if not by_form[code]]
    alike = await sku_matches.alike(connection, left, channel, _customer(correcting)) if left else {}
    correcting.match_skus(KnownSkus(held, {code: each for code, each in by_form.items() if each}, alike))


def _customer(correcting: Correcting) -> str:
    """The customer as captured orders name him."""
    return keepable(correcting.case.text("customer.id") or correcting.case.text("customer.email"))


def explained(settled: SettledMessage, correcting: Correcting, order: ChannelOrder | None) -> SettledMessage:
    """What became of a message, with what is proposed for it. Of an order that is held for a SKU that nobody knows,
    every such line is told.
    """
    faults = [_with_sku(fault, order) for fault in settled.faults]
    if order is not None and any(fault.code is FaultCode.UNKNOWN_SKU for fault in faults):
        told = {fault.field for fault in faults}
        faults += [fault for fault in correcting.unknown_skus(order) if fault.field not in told]
    told_faults = engine.explained(faults, correcting.proposed, correcting.doubts)
    return SettledMessage(
        settled.outcome, settled.detail, settled.order_id, told_faults, mapping_version=settled.mapping_version
    )


@dataclass(frozen=True, slots=True)
class TriedMessage:
    """What a message would be read as. `order` is None of one that would be held."""

    order: ChannelOrder | None
    faults: tuple[MessageFault, ...]
    applied: tuple[FieldCorrection, ...]
    proposed: tuple[FieldCorrection, ...]


async def try_out(database: Database, row: RowMapping, repairs: Mapping[str, Any]) -> TriedMessage:
    """Read and correct a message with a person's repairs, beside those that stand. Nothing is kept or carried out.

    Raises Conflict for a message that no mapping can read.
    """
    async with database.statement() as connection:
        mapping = await mappings.live(connection, row["channel"])
    if mapping is None:
        raise Conflict("the channel has no published mapping: nothing can be read")
    try:
        mapped = apply(mapping.mapping, json.loads(row["fetched"] or row["body"]))
    except (ValueError, RecursionError) as error:
        raise Conflict(f"it is no JSON: {error}") from error
    all_repairs = {**row["repairs"], **repairs}
    given = {"id": row["id"], "replays": row["replays"], "repairs": all_repairs}
    correcting = await correct(database, row["channel"], given, mapping.mapping, mapped)
    order, faults = intake.checked(correcting.mapped(), all_repairs)
    unknown = correcting.unknown_skus(order) if order else []
    told = engine.explained([*faults, *unknown], correcting.proposed, correcting.doubts)
    return TriedMessage(None if unknown else order, told, tuple(correcting.applied), tuple(correcting.proposed))


def _with_sku(fault: MessageFault, order: ChannelOrder | None) -> MessageFault:
    """A fault of a SKU with the code that stood there, by which messages alike are found."""
    if order is None or fault.value or fault.code is not FaultCode.UNKNOWN_SKU:
        return fault
    found = paths.at(order.model_dump(mode="json"), fault.field)
    return fault if found is None else fault.model_copy(update={"value": shown(found)})


async def record(
    connection: AsyncConnection, database: Database, channel: str, row: RowMapping, correcting: Correcting
) -> None:
    """Write down what was corrected and proposed at a message's turn; in place of what was at an earlier one."""
    if row["replays"]:
        await corrections.forget(connection, row["id"], [*correcting.applied, *correcting.proposed])
    await corrections.record(connection, row["id"], channel, correcting.applied, correcting.proposed, database.now())


async def accept(database: Database, message_id: int, correction_id: int, by: str) -> Replayed:
    """Take a proposal: it becomes a repair, and the message has its turn once more. A repeat does nothing more.

    Raises NotFound, Conflict for one that is decided otherwise or was made already, or of a message that cannot be
    replayed.
    """
    async with database.transaction() as connection:
        row = await messages.locked(connection, message_id)
        found = await corrections.locked(connection, message_id, correction_id)
        if found["status"] == CorrectionStatus.ACCEPTED:
            return Replayed(message_id, MessageOutcome(row["outcome"]))
        if found["status"] != CorrectionStatus.PROPOSED:
            raise Conflict(f"the correction is {found['status']}", data={"status": found["status"]})
        if MessageOutcome(row["outcome"]) not in REPLAYED:
            said = f"the message is {row['outcome']}: change its order instead"
            raise Conflict(said, data={"outcome": row["outcome"]})
        await corrections.decide(connection, correction_id, CorrectionStatus.ACCEPTED, by, database.now())
        return await channel_inbox.replay_within(connection, message_id, {found["field"]: found["after"]})


async def reject(database: Database, message_id: int, correction_id: int, by: str) -> None:
    """Say that a correction is wrong: it is counted so, and not made of this message any more. An order that was
    captured with it stays as it is.

    Raises NotFound, Conflict for one that was accepted, or that a rule of the channel made.
    """
    async with database.transaction() as connection:
        found = await corrections.locked(connection, message_id, correction_id)
        if found["status"] == CorrectionStatus.REJECTED:
            return
        if found["status"] == CorrectionStatus.ACCEPTED:
            raise Conflict("the correction is accepted", data={"status": found["status"]})
        if found["rule"].startswith(LEARNED) and found["status"] == CorrectionStatus.APPLIED:
            raise Conflict("a rule of the channel made it: retire the rule, or repair the field")
        await corrections.decide(connection, correction_id, CorrectionStatus.REJECTED, by, database.now())
