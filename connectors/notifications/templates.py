"""The texts of the messages, in English.

Each kind has a template in `templates/` whose first line is the subject and the rest the body; `layout.txt` and
`layout.html` put greeting, body and lines together. The body is plain text: `layout.html` escapes it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from dom.notifications.messages import MessageKind
from dom.orders.order import Promise
from dom.shared.base import Value
from dom.shared.money import Money
from dom.shared.texts import day_in_words, moment_in_words


class MessageLine(Value):
    """What one line of a message says: how many of what."""

    description: str
    sku: str
    quantity: int


class OfferedSwap(Value):
    """Units of an article go as units of another, at a price each."""

    instead_of: MessageLine
    article: MessageLine
    unit_price: Money


class AskedCustomer(Value):
    """What a customer is asked: the day that was told, the one expected now, what may be chosen and until when.
    `silence` is what is done if nobody answers. `link` leads to where he answers: in the mail alone.
    """

    question_id: str
    promised: datetime
    expected: datetime | None = None
    choices: tuple[str, ...]
    swap: tuple[OfferedSwap, ...] = ()
    answer_by: datetime
    silence: str
    link: str = ""


class MessageContext(Value):
    """What a message may tell; what is not known stays empty and is left out.

    `lines` are what the message is about, not always the whole order: what waits for stock, where it has to wait. Then
    `ships` are units that are sourced, and `cannot_be_sent` those for which there is no way at all. `tracking_number`
    and `carrier` belong to the shipment; `node_name` and `node_address` are where the goods can be collected or are to
    be sent back to. `reason` is why it was cancelled: for the webhook, and in no mail.
    `gave_up` says that what was cancelled could not be had in time. `collection_code` is the code with which goods are
    collected, `collect_by` until when they are kept, as the clock at the node shows it. `question` is what the
    customer is asked.
    """

    order_id: str
    external_id: str
    channel: str
    customer_name: str
    lines: tuple[MessageLine, ...] = ()
    ships: tuple[MessageLine, ...] = ()
    cannot_be_sent: tuple[MessageLine, ...] = ()
    promise: Promise | None = None
    tracking_number: str = ""
    carrier: str = ""
    node_name: str = ""
    node_address: str = ""
    refund: Money | None = None
    reason: str = ""
    gave_up: bool = False
    collection_code: str = ""
    collect_by: datetime | None = None
    question: AskedCustomer | None = None


class Rendered(Value):
    """A message as subject, plain text and HTML."""

    subject: str
    text: str
    html: str


def postal_address(document: Mapping[str, Any] | None) -> str:
    """A node's address on one line; empty where the customer does not need it."""
    if document is None:
        return ""
    place = " ".join(filter(None, (document["postal_code"], document["city"])))
    return ", ".join(filter(None, (*document["lines"], place, document["region"], document["country"])))


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("connectors.notifications"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.filters["time"] = "{:%H:%M}".format
_ENVIRONMENT.filters["day"] = day_in_words
_ENVIRONMENT.filters["moment"] = moment_in_words


def render(kind: MessageKind, context: MessageContext) -> Rendered:
    """The message of a kind about an order."""
    known = dict(context)
    subject, _, body = _ENVIRONMENT.get_template(f"{kind}.txt").render(known).partition("\n")
    paragraphs = [" ".join(part.split()) for part in body.split("\n\n") if part.strip()]
    whole = {**known, "subject": " ".join(subject.split()), "paragraphs": paragraphs, "groups": _groups(context)}
    return Rendered(
        subject=whole["subject"],
        text=_ENVIRONMENT.get_template("layout.txt").render(whole),
        html=_ENVIRONMENT.get_template("layout.html").render(whole),
    )


def _groups(context: MessageContext) -> list[tuple[str, tuple[MessageLine, ...]]]:
    """The lines under their headings; what a message is about alone needs none."""
    groups = [
        ("Set aside for you", context.ships),
        ("To follow", context.lines),
        ("Looked at by our staff", context.cannot_be_sent),
    ]
    filled = [(title, lines) for title, lines in groups if lines]
    return filled if len(filled) > 1 else [("", lines) for _, lines in filled]
