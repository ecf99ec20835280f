"""Draws the labels of a booking: A6, one page a parcel, with the tracking number as Code 128 (ISO/IEC 15417).

The same booking gives the same bytes, so a label need not be kept: it can be drawn again when it is asked for.
"""

from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A6
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from connectors.carriers import s10, scripts
from connectors.carriers.lettering import roman
from connectors.carriers.port import Booking, BookingRequest

_WIDTH, _HEIGHT = A6
_MARGIN: Final = 6 * mm
_INNER: Final = _WIDTH - 2 * _MARGIN
_PLAIN: Final = "Helvetica"
_BOLD: Final = "Helvetica-Bold"
_HEAD: Final = 15
_SMALL_HEAD: Final = 8
_HEAD_ROWS: Final = 3
_FILLED_AND_OUTLINED: Final = 2
_BAR_WIDTH: Final = 0.4 * mm
_BAR_HEIGHT: Final = 22 * mm
_ROWS_A_LINE: Final = 2
_SHORT_ADDRESS: Final = 5
"""An address of more lines is set smaller, so that all of it fits even if every line is as long as it may be."""


def render_label(carrier_name: str, request: BookingRequest, booking: Booking) -> bytes:
    """The labels as a PDF document; `carrier_name` is what stands at the top.

    The time in the document is fixed so that drawing is repeatable. An address line is cut after two rows. The times on
    it are the sender's own.
    """
    target = BytesIO()
    canvas = Canvas(target, pagesize=A6, pageCompression=0, invariant=1)
    canvas.setTitle(booking.tracking_number)
    canvas.setAuthor(roman(carrier_name))
    for number in range(1, booking.parcels + 1):
        page = _Page(canvas, request.recipient.country)
        page.head(carrier_name, request.method.value.upper())
        page.block("From", _sender_lines(request), size=7)
        recipient = _recipient_lines(request)
        page.block("To", recipient, size=11 if len(recipient) <= _SHORT_ADDRESS else 8)
        page.facts(_facts(request, booking, number))
        page.barcode(booking.tracking_number)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def unprinted(request: BookingRequest) -> tuple[str, ...]:
    """The lines of both addresses that the label shows in Roman letters, because it has no font for them."""
    return tuple(scripts.unprinted([*_sender_lines(request), *_recipient_lines(request)], request.recipient.country))


def _sender_lines(request: BookingRequest) -> list[str]:
    sender = request.sender
    street = ", ".join(sender.lines)
    place = " ".join(part for part in (sender.postal_code, sender.city, sender.region, sender.country) if part)
    return [request.sender_name, street, place]


def _recipient_lines(request: BookingRequest) -> list[str]:
    to = request.recipient
    place = " ".join(part for part in (to.postal_code, to.city.upper()) if part)
    return [line for line in (to.name, *to.lines, place, to.region, to.country) if line]


def _facts(request: BookingRequest, booking: Booking, number: int) -> list[str]:
    return [
        f"Shipment weight {request.size.weight_grams / 1000:.2f} kg",
        f"Parcel {number} of {booking.parcels}",
        f"Ship by {request.ship_by.astimezone(ZoneInfo(request.sender_zone)):%Y-%m-%d %H:%M %Z}",
        f"Reference {request.reference}",
    ]


class _Page:
    """One label, filled from the top down; `y` is where the next thing goes."""

    def __init__(self, canvas: Canvas, country: str) -> None:
        self._canvas = canvas
        self._country = country
        self._y = _HEIGHT - _MARGIN

    def head(self, carrier: str, service: str) -> None:
        """The carrier's name as large as it can be beside the service, in several rows if it must."""
        room = _INNER - stringWidth(service, _BOLD, _HEAD) - 4 * mm
        fitting = (size for size in range(_HEAD, _SMALL_HEAD, -1) if self._width(carrier, _BOLD, size) <= room)
        size = next(fitting, _SMALL_HEAD)
        self._canvas.setFont(_BOLD, _HEAD)
        self._canvas.drawRightString(_WIDTH - _MARGIN, self._y - 12, service)
        self._y -= 12 - size * 1.2
        for row in scripts.rows(carrier, _BOLD, size, room, self._country)[:_HEAD_ROWS]:
            self._text(row, _BOLD, size)
        self._rule()

    def block(self, heading: str, lines: list[str], *, size: int) -> None:
        self._text(heading, _BOLD, 6)
        for line in lines:
            for row in scripts.rows(line, _PLAIN, size, _INNER, self._country)[:_ROWS_A_LINE]:
                self._text(row, _PLAIN, size)
        self._rule()

    def facts(self, facts: list[str]) -> None:
        for fact in facts:
            self._text(fact, _PLAIN, 8)
        self._rule()

    def barcode(self, number: str) -> None:
        bars = Code128(number, barWidth=_BAR_WIDTH, barHeight=_BAR_HEIGHT, quiet=1)
        bars.drawOn(self._canvas, (_WIDTH - bars.width) / 2, _MARGIN + 5 * mm)
        self._canvas.setFont(_BOLD, 11)
        self._canvas.drawCentredString(_WIDTH / 2, _MARGIN, s10.spaced(number))

    def _width(self, text: str, font: str, size: float) -> float:
        return scripts.width(text, font, size, self._country)

    def _text(self, text: str, font: str, size: float) -> None:
        self._y -= size * 1.2
        at = _MARGIN
        for run in scripts.laid_out(text, font, self._country):
            self._canvas.saveState()
            self._canvas.setFont(run.font, size)
            self._canvas.setLineWidth(size / 40)
            self._canvas.drawString(at, self._y, run.text, mode=_FILLED_AND_OUTLINED if run.is_thin else None)
            self._canvas.restoreState()
            at += stringWidth(run.text, run.font, size)

    def _rule(self) -> None:
        self._y -= 5
        self._canvas.line(_MARGIN, self._y, _WIDTH - _MARGIN, self._y)
        self._y -= 2
