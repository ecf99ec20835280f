"""What a message says: a mail's text, or a webhook's payload, from what the outbox and the order say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from connectors.notifications.port import OutboundMessage
from connectors.notifications.templates import (
    AskedCustomer,
    MessageContext,
    MessageLine,
    OfferedSwap,
    postal_address,
    render,
)
from dom.notifications.messages import Medium, MessageKind
from dom.orders.order import Promise
from dom.shared.money import Money
from services.customer_links import NO_LINKS, CustomerLinks


def compose(row: RowMapping, webhook_url: str, links: CustomerLinks = NO_LINKS) -> OutboundMessage:
    """A row of the outbox, as `outbox.claim` answers it, as a message that is ready to go. A question's link stands in
    the mail alone: whoever has it answers for the customer.

    Raises whatever stands in the way: such a message waits until it can be written.
    """
    if row["message_key"] is None:
        return _as_it_stands(row)
    link = links.address(row["payload"]["link_id"]) if _has_link(row) else ""
    context = _context(row, row["payload"], link)
    kind = MessageKind(row["kind"])
    if row["medium"] == Medium.WEBHOOK:
        payload = {"type": f"order.{kind}", "data": context.model_dump(mode="json")}
        return OutboundMessage(key=row["business_key"], medium=Medium.WEBHOOK, recipient=webhook_url, payload=payload)
    letter = render(kind, context)
    return OutboundMessage(
        key=row["business_key"],
        medium=Medium.MAIL,
        recipient=row["recipient"],
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
    )


def _as_it_stands(row: RowMapping) -> OutboundMessage:
    medium, payload = Medium(row["medium"]), row["payload"]
    if medium is Medium.WORKFLOW:
        payload = {"signal": row["kind"], "argument": payload}
    return OutboundMessage(key=row["business_key"], medium=medium, recipient=row["recipient"], payload=payload)


def _has_link(row: RowMapping) -> bool:
    return (row["medium"], row["kind"]) == (Medium.MAIL, MessageKind.PROMISE_SLIPPED)


def _context(known: RowMapping, about: dict[str, Any], link: str) -> MessageContext:
    units: dict[str, int] | None = about["lines"] if "lines" in about else known["f_lines"]
    earliest = known["f_earliest"] or known["promise_earliest"]
    latest = known["f_latest"] or known["promise_latest"]
    refund = about.get("refund")
    return MessageContext(
        order_id=known["order_id"],
        external_id=known["external_id"],
        channel=known["channel"],
        customer_name=known["customer_name"],
        lines=_lines(known, units),
        ships=_lines(known, about.get("ships", {})),
        cannot_be_sent=_lines(known, about.get("cannot_be_sent", {})),
        promise=Promise(earliest=earliest, latest=latest) if earliest and latest else None,
        tracking_number=known["tracking_number"] or "",
        carrier=known["carrier"] or "",
        node_name=known["node_name"] or "",
        refund=Money.model_validate(refund) if refund else None,
        node_address=postal_address(known["node_address"]),
        reason=about.get("reason", ""),
        gave_up=about.get("gave_up", False),
        collection_code=known["collection_code"] or "",
        collect_by=_local(known["collect_by"], known["node_zone"]),
        question=_question(known, about, link) if "choices" in about else None,
    )


def _question(known: RowMapping, about: dict[str, Any], link: str) -> AskedCustomer:
    return AskedCustomer(
        question_id=about["question_id"],
        promised=about["promised"],
        expected=about["expected"],
        choices=about["choices"],
        swap=tuple(
            OfferedSwap(
                instead_of=_lines(known, {each["line_id"]: each["units"]})[0],
                article=MessageLine(
                    description=each["description"] or each["sku"], sku=each["sku"], quantity=each["quantity"]
                ),
                unit_price=Money(amount=each["unit_price"], currency=about["currency"]),
            )
            for each in about["swap"]
        ),
        answer_by=about["answer_by"],
        silence=about["silence"],
        link=link,
    )


def _local(at: datetime | None, zone: str | None) -> datetime | None:
    """The moment as the clock on the node's wall shows it."""
    return at if at is None or zone is None else at.astimezone(ZoneInfo(zone))


def _lines(known: RowMapping, units: Mapping[str, int] | None) -> tuple[MessageLine, ...]:
    """The order's lines with so many units each; all of them as ordered for None."""
    return tuple(
        MessageLine(description=description or sku, sku=sku, quantity=quantity if units is None else units[line_id])
        for line_id, sku, description, quantity in known["lines"] or ()
        if units is None or units.get(line_id)
    )
