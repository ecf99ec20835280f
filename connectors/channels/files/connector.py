"""The connector of the platform `files`: CSV and JSON Lines in a folder, here or on an SFTP server."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Final

import httpx

from connectors.channels.bodies import as_header
from connectors.channels.files import reading
from connectors.channels.files.drop import ClaimedFile, DropFolder
from connectors.channels.files.grouping import Spot
from connectors.channels.files.places import SECRETS, open_folder, reaching
from connectors.channels.files.records import FileForm, HeaderError, csv_form, json_form
from connectors.channels.files.settings import FileSettings
from connectors.channels.generic import GenericConnector
from connectors.channels.port import Ability, ChannelConnector, FeedPage, FeedSpan, ListedOrder
from dom.channels.connection import Connection, Platform
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.messages import MessageIdentity
from dom.channels.outcomes import MessageSource

BLOCK: Final = 1 << 18
"""Bytes that are read for a page."""
MOST_ORDERS: Final = 500
"""Of a page, and so of a transaction."""
_HEAD: Final = 1 << 17
_GROWTH: Final = 4


@dataclass(frozen=True, slots=True)
class FilePlace:
    """How far a folder is read: the file that was begun, the spot in it, and what was counted of it."""

    taken: ClaimedFile | None = None
    spot: Spot = field(default_factory=lambda: Spot(-1))
    is_read: bool = False
    fault: str = ""
    orders: int = 0
    broken: int = 0
    watched: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 0

    @classmethod
    def of(cls, position: Mapping[str, Any]) -> "FilePlace":
        """As it was kept. What another platform or an earlier version kept begins anew: nothing is lost by that."""
        try:
            return cls._of(position)
        except (KeyError, TypeError, ValueError):
            return cls()

    @classmethod
    def _of(cls, position: Mapping[str, Any]) -> "FilePlace":
        given = position.get("file")
        return cls(
            taken=ClaimedFile(**given) if given else None,
            spot=Spot(**position["spot"]) if position.get("spot") else Spot(-1),
            is_read=bool(position.get("is_read")),
            fault=str(position.get("fault", "")),
            orders=int(position.get("orders", 0)),
            broken=int(position.get("broken", 0)),
            watched=position.get("watched") or {},
            repeats=int(position.get("repeats", 0)),
        )

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        kept: dict[str, Any] = {"watched": dict(self.watched), "repeats": self.repeats}
        if self.taken is not None:
            kept |= {
                "file": asdict(self.taken),
                "spot": self.spot.document(),
                "is_read": self.is_read,
                "fault": self.fault,
            }
            kept |= {"orders": self.orders, "broken": self.broken}
        return kept

    def without_file(self, *, repeats: int = 0) -> "FilePlace":
        """No file is begun."""
        return FilePlace(watched=self.watched, repeats=self.repeats + repeats)


class FilesConnector(ChannelConnector):
    """Reads orders from files that are dropped into a folder. It tells nobody anything."""

    platform: ClassVar[Platform] = Platform.FILES
    settings_model = FileSettings
    may_need = SECRETS
    abilities = frozenset({Ability.LIST})
    source = MessageSource.FILE

    def __init__(
        self, connection: Connection, secrets: Mapping[str, str], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Raises ValidationError for settings that a folder cannot have."""
        super().__init__(connection, secrets, transport=transport)
        self.settings = FileSettings.model_validate(connection.settings)
        self._folder = open_folder(self.settings, secrets)
        self._drop = DropFolder(self._folder, self.settings, _read_as(self.settings))
        self._form: tuple[str, FileForm] | None = None

    @classmethod
    def identify(cls, headers: Mapping[str, str], body: bytes, mapping: ChannelMapping | None) -> MessageIdentity:
        """By the rows of the order. What cannot be read has no number."""
        return GenericConnector.identify(headers, body, mapping)

    async def page(self, position: Mapping[str, Any], span: FeedSpan) -> FeedPage:
        """The next orders of the file that was begun, or of the next one. `span` says nothing of files.

        A file is put away by the call that follows its last page: its orders are kept by then.
        """
        del span
        with reaching(self.settings.folder):
            return await self._next_page(FilePlace.of(position))

    async def _next_page(self, place: FilePlace) -> FeedPage:
        if place.taken is not None and place.is_read:
            if place.fault:
                await self._drop.set_aside(place.taken, place.fault)
            else:
                await self._drop.finish(place.taken, {"orders": place.orders, "broken": place.broken})
            place = place.without_file()
        place = await self._begun(place)
        if place.taken is None:
            return FeedPage((), place.document(), done=True)
        known_as = await self._drop.known_as(place.taken.sha256) if place.spot.offset < 0 else None
        if known_as is not None:
            await self._drop.finish_repeat(place.taken, known_as)
            return FeedPage((), place.without_file(repeats=1).document(), done=False)
        return await self._read(place, place.taken)

    async def _begun(self, place: FilePlace) -> FilePlace:
        """With the file that is to be read: one that was changed while it was read is read from its beginning."""
        if place.taken is not None:
            now = await self._drop.again(place.taken.name, place.taken)
            if now is not None and now.sha256 == place.taken.sha256:
                return replace(place, taken=now)
            if now is not None:
                return FilePlace(now, watched=place.watched, repeats=place.repeats)
        taken, watched = await self._drop.next(place.watched)
        return FilePlace(taken, watched=watched, repeats=place.repeats)

    async def _read(self, place: FilePlace, taken: ClaimedFile) -> FeedPage:
        if not taken.size:
            return FeedPage((), replace(place, is_read=True).document(), done=False)
        try:
            form = await self._form_of(taken)
        except HeaderError as error:
            return await self._set_aside(place, taken, str(error))
        spot = place.spot if place.spot.offset >= 0 else Spot(form.start, form.line)
        size, page = BLOCK, None
        while page is None:
            block = await self._folder.read(taken.path, spot.offset, size)
            page = reading.read(
                block, spot, form, taken.name,
                window=self.settings.window, at_end=len(block) < size, most=MOST_ORDERS,
            )  # fmt: skip
            size *= _GROWTH
        if await self._drop.again(taken.name, taken) != taken:
            return FeedPage((), place.document(), done=False)
        moved = replace(
            place,
            spot=page.spot,
            is_read=page.is_whole,
            orders=place.orders + len(page.orders) - page.broken,
            broken=place.broken + page.broken,
        )
        return FeedPage(page.orders, moved.document(), done=False)

    async def _form_of(self, taken: ClaimedFile) -> FileForm:
        """How the file is read. Raises HeaderError."""
        if self._form is None or self._form[0] != taken.sha256:
            head = await self._folder.read(taken.path, 0, _HEAD)
            settings = self.settings
            form: FileForm = (
                csv_form(head, settings)
                if settings.format == "csv"
                else json_form(head, settings.encoding, settings.order_column)
            )
            self._form = (taken.sha256, form)
        return self._form[1]

    async def _set_aside(self, place: FilePlace, taken: ClaimedFile, why: str) -> FeedPage:
        """A file that cannot be read at all: its beginning is a message, so that a person looks at it."""
        head = await self._folder.read(taken.path, 0, _HEAD)
        headers = {"x-file": as_header(taken.name), "x-fault": why}
        orders = [ListedOrder(head, f"raw:{taken.sha256}", reading.BROKEN, headers)] if taken.size else []
        return FeedPage(orders, replace(place, taken=taken, is_read=True, fault=why).document(), done=False)

    async def close(self) -> None:
        """Let go of the connection to the server."""
        await self._folder.close()


def _read_as(settings: FileSettings) -> str:
    told = settings.model_dump_json(include={"format", "encoding", "delimiter", "columns", "order_column", "window"})
    return hashlib.sha256(told.encode()).hexdigest()[:16]
