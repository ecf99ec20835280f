"""Who serves a carrier: a connector of its own, or its table rates, as they stand now."""

from collections.abc import Iterable, Mapping

from connectors.carriers.port import Carrier
from connectors.carriers.table_rate import TableRateCarrier
from dom.delivery.tariffs import Tariff
from dom.shared.errors import OutsideFailure


class CarrierRegistry:
    """The carriers of a worker. Those without a connector of their own are made of their tariff when they are needed,
    so that one that is added, or charges otherwise, needs no restart.
    """

    def __init__(self, own: Mapping[str, Carrier]) -> None:
        """`own` are the carriers with a connector of their own, by code."""
        self._own = own
        self._by_tariff: dict[str, tuple[Tariff, Carrier]] = {}

    def serving(self, code: str | None, tariffs: Iterable[Tariff]) -> Carrier:
        """The carrier of that code, given the tariffs as they stand. Raises OutsideFailure if nobody serves it."""
        if code is not None and code in self._own:
            return self._own[code]
        tariff = next((each for each in tariffs if each.carrier == code), None)
        if tariff is None:
            raise OutsideFailure(f"no connector serves the carrier {code}")
        known = self._by_tariff.get(tariff.carrier)
        if known is None or known[0] != tariff:
            known = self._by_tariff[tariff.carrier] = tariff, TableRateCarrier(tariff)
        return known[1]
