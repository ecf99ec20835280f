"""The connector of a trading partner: interchanges come as files, and answers go out as files.

An interchange is acknowledged by the call that follows the last page of its file: its messages are kept by then.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from connectors.channels.bodies import as_header
from connectors.channels.edi import orders
from connectors.channels.edi.interchange import Despatch, Interchange, Message, OrderSet, Refusal, Standard
from connectors.channels.edi.numbers import NumberedFiles, SentFile
from connectors.channels.edi.settings import PartnerSettings
from connectors.channels.edi.state import PartnerState, ReceivedInterchange
from connectors.channels.files.drop import ClaimedFile, DropFolder
from connectors.channels.files.places import SECRETS, open_folder, reaching
from connectors.channels.generic import GenericConnector
from connectors.channels.port import Ability, ChannelConnector, FeedPage, FeedSpan, ListedOrder
from dom.channels.connection import Connection
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity
from dom.channels.outcomes import MessageSource
from dom.channels.telling import PlatformOrder, StepKind, TellStep, Told
from dom.shared.errors import OutsideFailure

MOST_MESSAGES: Final = 200
"""Of a page, and so of a transaction."""
MOST_BYTES: Final = 16 << 20
"""Of a file: it is read whole. A longer one is put aside."""
_SHOWN: Final = 1 << 18
REFUSED: Final = "refused"
"""The topic of messages that are no orders: what the partner was told is wrong."""


@dataclass(frozen=True, slots=True)
class EdiPlace:
    """How far a folder is read: the file that was begun, and how many of its messages came."""

    taken: ClaimedFile | None = None
    listed: int = 0
    is_read: bool = False
    fault: str = ""
    watched: Mapping[str, Any] = field(default_factory=dict)
    duplicates: int = 0

    @classmethod
    def of(cls, position: Mapping[str, Any]) -> "EdiPlace":
        """As it was kept. What another platform or an earlier version kept begins anew: nothing is lost by that."""
        try:
            return cls._of(position)
        except (KeyError, TypeError, ValueError):
            return cls()

    @classmethod
    def _of(cls, position: Mapping[str, Any]) -> "EdiPlace":
        given = position.get("file")
        return cls(
            ClaimedFile(**given) if given else None, int(position.get("listed", 0)), bool(position.get("is_read")),
            str(position.get("fault", "")), position.get("watched") or {}, int(position.get("duplicates", 0)),
        )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "file": self.taken and asdict(self.taken), "listed": self.listed, "is_read": self.is_read,
            "fault": self.fault, "watched": dict(self.watched), "duplicates": self.duplicates,
        }  # fmt: skip


class PartnerConnector(ChannelConnector):
    """A trading partner; each standard makes one class of it."""

    may_need = SECRETS
    abilities = frozenset({Ability.LIST, Ability.TELL})
    tells = frozenset({StepKind.ACCEPT, StepKind.FULFIL, StepKind.CANCEL})
    source = MessageSource.EDI

    settings: PartnerSettings
    standard: Standard

    def __init__(
        self, connection: Connection, secrets: Mapping[str, str], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Raises ValidationError for settings that a partner cannot have."""
        super().__init__(connection, secrets, transport=transport)
        self.settings, self.standard = self._read_settings(connection)
        self._folder = open_folder(self.settings, secrets)
        self._drop = DropFolder(self._folder, self.settings, "edi")
        state = self.settings.state_folder or f"{self.settings.folder}/state"
        self._state = PartnerState(Path(state) / _folder_name(self.settings))
        self._numbered = NumberedFiles(self._state.folder, self._folder, self.settings.out, self.standard.extension)
        self._found: tuple[ClaimedFile, list[tuple[Interchange, OrderSet | None]]] | None = None

    def _read_settings(self, connection: Connection) -> tuple[PartnerSettings, Standard]:
        raise NotImplementedError(connection)

    def now(self) -> datetime:
        """The time that envelopes bear."""
        return datetime.now(UTC)

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By the order's number where the mapping says; the partner's own number of it is kept beside it."""
        found = GenericConnector.identify(headers, body, mapping)
        return found if found.order_number is None else replace(found, reference=json.loads(body)["number"])

    # --- in ----------------------------------------------------------------------------------------------------------

    async def page(self, position: Mapping[str, Any], span: FeedSpan) -> FeedPage:
        """The next transaction sets of the file that was begun, or of the next one. `span` says nothing of files."""
        del span
        with reaching(self.settings.folder):
            await self._folder.prepare()
            await self._state.prepare()
            return await self._next_page(EdiPlace.of(position))

    async def _next_page(self, place: EdiPlace) -> FeedPage:
        if place.taken is not None and place.is_read:
            place = await self._finish(place, place.taken)
        if place.taken is None or await self._drop.again(place.taken.name, place.taken) != place.taken:
            taken, watched = await self._drop.next(place.watched)
            place = EdiPlace(taken, watched=watched, duplicates=place.duplicates)
        if place.taken is None:
            return FeedPage((), place.document(), done=True)
        return await self._listed(place, place.taken)

    async def _listed(self, place: EdiPlace, taken: ClaimedFile) -> FeedPage:
        if taken.size > MOST_BYTES:
            head = await self._folder.read(taken.path, 0, _SHOWN)
            why = f"a file of interchanges has at most {MOST_BYTES} bytes"
            listed = ListedOrder(
                head, f"raw:{taken.sha256}", REFUSED, {"x-file": as_header(taken.name), "x-fault": why}
            )
            return FeedPage([listed], replace(place, is_read=True, fault=why).document(), done=False)
        if self._found is None or self._found[0] != taken:
            self._found = (taken, await self._parts(taken))
        found = self._found[1]
        page = found[place.listed : place.listed + MOST_MESSAGES]
        headers = {"x-file": as_header(taken.name)}
        orders_of_page = [await self._message(interchange, each, headers) for interchange, each in page]
        listed_by_now = place.listed + len(page)
        moved = replace(place, listed=listed_by_now, is_read=listed_by_now >= len(found))
        return FeedPage(orders_of_page, moved.document(), done=False)

    async def _parts(self, taken: ClaimedFile) -> list[tuple[Interchange, OrderSet | None]]:
        """What of a file becomes a message: sets of interchanges, and interchanges that are refused whole."""
        found: list[tuple[Interchange, OrderSet | None]] = []
        for interchange, is_repeat in await self._interchanges(taken):
            if is_repeat:
                continue
            if interchange.refusal is not None or not interchange.control:
                found.append((interchange, None))
            else:
                found += [(interchange, each) for each in interchange.sets if not each.is_answer]
        return found

    async def _message(
        self, interchange: Interchange, found: OrderSet | None, headers: Mapping[str, str]
    ) -> ListedOrder:
        if found is None:
            return _refused(interchange.raw, headers, str(interchange.refusal))
        if found.message is None:
            return _refused(found.raw, headers, "the partner was told what is wrong with it")
        return await self._whole(interchange, found, found.message, headers)

    async def _interchanges(self, taken: ClaimedFile) -> list[tuple[Interchange, bool]]:
        """The interchanges of a file, with what is wrong with them as a whole; and whether one came before, with the
        same content: then nothing is made of it.
        """
        raw = await self._drop.whole(taken)
        found: list[tuple[Interchange, bool]] = []
        here: dict[str, ReceivedInterchange] = {}
        for place, each in enumerate(self.standard.read(raw)):
            came = _received(taken, place, each)
            before = here.get(each.control) or (await self._state.received(each.control) if each.control else None)
            is_repeat = False
            if each.control and not self._is_ours(each, "sender"):
                each.refusal = Refusal.SENDER
            elif each.control and not self._is_ours(each, "receiver"):
                each.refusal = Refusal.RECEIVER
            elif before is not None and before.owner != came.owner:
                each.refusal, is_repeat = Refusal.DUPLICATE, before.sha256 == came.sha256
            elif each.control and each.refusal is None:
                here[each.control] = came
            found.append((each, is_repeat))
        return found

    def _is_ours(self, interchange: Interchange, side: str) -> bool:
        own = self.settings
        if side == "sender":
            return interchange.sender == f"{own.partner_qualifier}:{own.partner_id}"
        return interchange.receiver == f"{own.own_qualifier}:{own.own_id}"

    async def _whole(
        self, interchange: Interchange, found: OrderSet, message: Message, headers: Mapping[str, str]
    ) -> ListedOrder:
        """A message that says all of its order, by what is known of it; from now on that is known."""
        async with self._state.changing():
            before = await self._state.order(message["number"])
            known = before["message"] if before else None
            is_late = known is not None and orders.is_older(message, known)
            made = orders.whole(message, None if is_late and message["is_delta"] else known)
            if made["lines"] and not is_late:
                await self._state.put_order(made["number"], orders.kept(made, before))
        digest = hashlib.sha256(found.raw).hexdigest()[:16]
        told = f"{interchange.sender}/{interchange.control}/{found.id}"
        name = f"edi:{hashlib.sha256(told.encode()).hexdigest()[:32]}:{digest}"
        return ListedOrder(json.dumps(made).encode(), name, message["kind"], {**headers, "x-edi": as_header(told)})

    async def _finish(self, place: EdiPlace, taken: ClaimedFile) -> EdiPlace:
        """All of a file is kept: acknowledge it, and put it away."""
        self._found = None
        if place.fault:
            await self._drop.set_aside(taken, place.fault)
            return EdiPlace(watched=place.watched, duplicates=place.duplicates)
        duplicates = 0
        if await self._drop.again(taken.name, taken) == taken:
            for number, (each, _) in enumerate(await self._interchanges(taken)):
                received = _received(taken, number, each)
                if each.control and each.refusal is None:
                    await self._state.note_received(each.control, received)
                duplicates += each.refusal is Refusal.DUPLICATE
                render = self.standard.acknowledgement(each)
                if render is not None:
                    await self._numbered.send(f"ack/{received.owner}", "ack", render, self.now())
            await self._drop.finish(taken, {"messages": place.listed, "duplicates": duplicates})
        return EdiPlace(watched=place.watched, duplicates=place.duplicates + duplicates)

    # --- out ---------------------------------------------------------------------------------------------------------

    async def order(self, reference: str) -> bytes | None:
        """The last state of an order that the partner sent, as messages have it, and what it was told since."""
        with reaching(self._state.folder):
            kept = await self._state.order(reference)
        return None if kept is None else json.dumps({**kept["message"], "told": kept["told"]}).encode()

    def known(self, body: bytes) -> PlatformOrder:
        """What the partner knows of an order, by what `order` answers."""
        found = json.loads(body)
        return orders.known_order({"message": found, "told": found.pop("told")})

    async def carry_out(self, order: PlatformOrder, step: TellStep) -> Told:
        """Put out an 855, ORDRSP, 856 or DESADV. Told again under its key, it is the same file.

        Raises OutsideFailure for what a partner cannot be told.
        """
        with reaching(self._state.folder):
            return await self._tell(order, step)

    async def _tell(self, order: PlatformOrder, step: TellStep) -> Told:
        await self._state.prepare()
        key = f"order/{order.reference}/{step.key}"
        message: Message = order.raw["message"]
        if step.kind is StepKind.FULFIL:
            lines = [(line, step.lines[line["line"]]) for line in message["lines"] if step.lines.get(line["line"])]
            render = self.standard.despatch_advice(
                message, Despatch(step.key, step.carrier, step.tracking_number, lines)
            )
            kind = "despatch"
        elif step.kind in self.tells:
            said = orders.answered(order, step)
            render = self.standard.response(message, said, is_first=not order.is_accepted)
            kind = "response"
        else:
            raise OutsideFailure(f"a trading partner cannot be told of a step {step.kind}")
        sent: SentFile = await self._numbered.send(key, kind, render, self.now())
        async with self._state.changing():
            kept = await self._state.order(order.reference)
            if kept is not None:
                await self._state.put_order(order.reference, orders.told(kept, step))
        return Told(step.key if step.kind is StepKind.FULFIL else f"{sent.number}")

    async def close(self) -> None:
        """Let go of the connection to the server."""
        await self._folder.close()


def _received(taken: ClaimedFile, place: int, interchange: Interchange) -> ReceivedInterchange:
    owner = f"{taken.sha256}/{taken.modified}/{place}"
    return ReceivedInterchange(owner, hashlib.sha256(interchange.raw).hexdigest())


def _refused(raw: bytes, headers: Mapping[str, str], why: str) -> ListedOrder:
    return ListedOrder(raw, f"raw:{hashlib.sha256(raw).hexdigest()}", REFUSED, {**headers, "x-fault": why})


def _folder_name(settings: PartnerSettings) -> str:
    """One for each pair of partners, in each direction: control numbers are theirs."""
    told = "/".join([settings.own_qualifier, settings.own_id, settings.partner_qualifier, settings.partner_id])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
