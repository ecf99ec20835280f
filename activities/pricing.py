"""Pricing: what a unit of stock is worth where it lies, worked out anew for what moved."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from dom.shared.base import Value
from dom.sourcing.valuation.value import pricing, shadow_prices
from store.availability import changes
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.sourcing import projection, stock_values
from store.sourcing.stock_values import Price

CURSOR: Final = "stock-values"
"""The cursor of what has been priced."""
BATCHES_AT_MOST: Final = 300
"""Of one run; what is left is the next one's."""
_TOGETHER: Final = 100
"""SKUs priced together at most: baskets that hold several of them share their parcels."""
_SKUS_TIMES_NODES: Final = 2000
"""So that a batch takes seconds in a large network, too."""
_RENEWED_BEFORE: Final = 4
"""A price is worked out anew in the last quarter of its lifetime, though nothing moved."""

Positive = Annotated[int, Field(ge=1)]


class PricingTerms(Value):
    """How stock is priced; see the settings of the same names."""

    lifetime_minutes: Positive = 360
    horizon_days: Positive = 14
    history_days: Positive = 56
    margin_percent: Annotated[int, Field(ge=0)] = 30


class Repriced(Value):
    """What a run did. `active`: a strategy of the published policy asks what stock is worth."""

    active: bool
    skus: int = 0
    batches: int = 0
    says: str


@dataclass(frozen=True, slots=True)
class Pricing:
    """Works out shadow prices and forecasts, off the event loop."""

    database: Database

    @activity.defn(name="price_stock")
    async def price_stock(self, terms: PricingTerms) -> Repriced:
        """Price the SKUs that moved since the last run, and those whose prices are about to fade out.

        A run that is repeated goes on where the last batch was written. Nothing is done, and the ledger not read, where
        no strategy has an opportunity weight or days of supply.
        """
        async with self.database.statement() as connection:
            reference = await self.database.reference.now(connection)
            end = await cursors.end(connection)
        if pricing(reference.policy) is None:
            return Repriced(active=False, says="No strategy has an opportunity weight or days of supply.")
        done = batches = 0
        while batches < BATCHES_AT_MOST and (skus := await self._moved(terms, end) or await self._fading(terms)):
            done, batches = done + skus, batches + 1
            activity.heartbeat(done)
        return Repriced(active=True, skus=done, batches=batches, says=f"{done} SKUs priced in {batches} batches.")

    async def _moved(self, terms: PricingTerms, end: Cursor) -> int:
        """Price the next SKUs that moved before the run began, and move the cursor; how many there were."""
        async with self.database.transaction() as connection:
            place = await cursors.ensure(connection, CURSOR, from_start=True)
            if place >= end:
                return 0
            found = await changes.read(connection, place, await self._batch(connection))
        if not found.skus:
            return 0
        await self._price([each.sku for each in found.skus], terms, (place, found.cursor))
        return len(found.skus)

    async def _fading(self, terms: PricingTerms) -> int:
        within = timedelta(minutes=terms.lifetime_minutes) / _RENEWED_BEFORE
        async with self.database.transaction() as connection:
            skus = await stock_values.fading(connection, within, await self._batch(connection))
        if skus:
            await self._price(skus, terms, None)
        return len(skus)

    async def _batch(self, connection: AsyncConnection) -> int:
        reference = await self.database.reference.now(connection)
        return max(1, min(_TOGETHER, _SKUS_TIMES_NODES // max(1, len(reference.nodes))))

    async def _price(self, skus: Sequence[str], terms: PricingTerms, moved: tuple[Cursor, Cursor] | None) -> None:
        async with self.database.transaction() as connection:
            read = await projection.read(connection, self.database.reference, skus, **_spans(terms))
        priced = await asyncio.to_thread(shadow_prices, read.outlook)
        prices = [
            Price(
                node_id=each.node_id,
                sku=each.sku,
                opportunity=each.opportunity,
                units=max(0, read.free[each.node_id, each.sku]),
                outflow=each.outflow,
                daily_demand=each.daily_demand,
            )
            for each in priced
        ]
        lifetime = timedelta(minutes=terms.lifetime_minutes)
        async with self.database.transaction() as connection:
            await stock_values.write(connection, skus, prices, read.outlook.policy.currency, lifetime)
            if moved is not None:
                await cursors.advance(connection, CURSOR, *moved)


def _spans(terms: PricingTerms) -> dict[str, int]:
    return {
        "horizon_days": terms.horizon_days,
        "history_days": terms.history_days,
        "margin_percent": terms.margin_percent,
    }
