"""Every activity, wired to the parties it talks to."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from activities.bulk import Bulk
from activities.capture import Capture
from activities.changing import Changing
from activities.channel_feeds import ChannelFeeds
from activities.channel_intake import ChannelIntake
from activities.importing import Importing
from activities.pricing import Pricing
from activities.rehearsing import Rehearsing
from activities.relaying import Relaying
from activities.resuming import Resuming
from activities.returning import Returning
from activities.shipping import Shipping
from activities.sourcing import SourcingActivities
from connectors.carriers.port import Carrier
from connectors.carriers.registry import CarrierRegistry
from connectors.notifications.port import Sender
from dom.notifications.messages import Medium
from dom.returns import EXPIRES_AFTER
from services.channel_connections import Connections
from services.channel_intake import OrderCalls
from services.customer_links import NO_LINKS, CustomerLinks
from services.database import Database


def wired(
    house_database: Database,
    carriers: Mapping[str, Carrier],
    senders: Mapping[Medium, Sender],
    webhook_url: str = "",
    *,
    returns_last: timedelta = EXPIRES_AFTER,
    drain_seconds: float = 10.0,
    links: CustomerLinks = NO_LINKS,
    calls: OrderCalls | None = None,
    connections: Connections | None = None,
) -> list[Callable[..., Any]]:
    """Every activity, given the parties it talks to; `carriers` are those with a connector of their own.

    `returns_last` is how long goods of a return are waited for, `drain_seconds` what a stopping worker gives its
    activities. `links` are how customers answer, `calls` how what channels tell reaches orders, `connections` how their
    platforms are reached; None: it does not, they are not.
    """
    sourcing, changing = SourcingActivities(house_database), Changing(house_database)
    importing, rehearsing = Importing(house_database, drain_seconds), Rehearsing(house_database, drain_seconds)
    bulk = Bulk(house_database, drain_seconds)
    shipping, returning = Shipping(house_database, CarrierRegistry(carriers)), Returning(house_database, returns_last)
    return [
        Capture(house_database).accept_order,
        Resuming(house_database).resume_order,
        sourcing.source_again,
        changing.change_order,
        changing.heed_report,
        changing.read_order,
        shipping.book_carrier,
        shipping.void_booking,
        shipping.intercept_parcel,
        Relaying(house_database, senders, webhook_url, links, drain_seconds).relay_outbox,
        returning.open_return,
        returning.commit_return,
        Pricing(house_database).price_stock,
        importing.apply_import,
        importing.cancel_import,
        rehearsing.run_rehearsal,
        rehearsing.end_rehearsal,
        bulk.apply_bulk,
        bulk.stop_bulk,
        *_of_channels(house_database, calls, connections, drain_seconds),
    ]


def _of_channels(
    house_database: Database, calls: OrderCalls | None, connections: Connections | None, drain_seconds: float
) -> list[Callable[..., Any]]:
    if calls is None or connections is None:
        return []
    feeds = ChannelFeeds(house_database, connections, drain_seconds)
    return [ChannelIntake(house_database, connections, calls).take_in_messages, feeds.read_channel_feed]
