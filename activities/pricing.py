"""Pricing: a run over the stock, off the event loop. The use case is in `services.pricing`."""

from contextlib import aclosing
from dataclasses import dataclass

from temporalio import activity

from activities.errors import temporal_errors
from dom.shared.base import Value
from dom.sourcing.valuation.terms import PricingTerms
from services import pricing
from services.database import Database


class Repriced(Value):
    """What a run did. `active`: a strategy of the published policy asks what stock is worth."""

    active: bool
    skus: int = 0
    batches: int = 0
    says: str


@dataclass(frozen=True, slots=True)
class Pricing:
    """Works out shadow prices and forecasts."""

    database: Database

    @activity.defn(name="price_stock")
    async def price_stock(self, terms: PricingTerms) -> Repriced:
        """Price what moved, and what is about to fade out; says after each batch how far it is.

        Nothing is done, and the ledger not read, where no strategy has an opportunity weight or days of supply.
        """
        done = batches = 0
        with temporal_errors():
            if not await pricing.is_asked(self.database):
                return Repriced(active=False, says="No strategy has an opportunity weight or days of supply.")
            async with aclosing(pricing.batches(self.database, terms)) as priced:
                async for skus in priced:
                    done, batches = done + skus, batches + 1
                    activity.heartbeat(done)
        return Repriced(active=True, skus=done, batches=batches, says=f"{done} SKUs priced in {batches} batches.")
