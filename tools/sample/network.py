"""The sample's nodes: real towns with real coordinates; which buildings stand there is ours."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

PARCEL_SERVICES = ("economy", "standard", "express")
EVERYWHERE: tuple[str, ...] = ()
BRITISH_ISLES = ("GB", "IE", "JE", "GG")
CENTRAL_EUROPE = ("DE", "AT", "CH", "NL", "BE", "LU", "FR", "PL", "CZ", "DK", "SE", "NO", "FI", "LT", "IT")
WESTERN_EUROPE = ("FR", "BE", "LU", "NL", "DE", "ES", "PT", "CH", "IT")


class NodeKind(StrEnum):
    DISTRIBUTION_CENTRE = "distribution_centre"
    WAREHOUSE = "warehouse"
    STORE = "store"
    SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Address:
    lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class HandlingCost:
    """Minor units a fulfilment order and a unit."""

    fixed: int
    per_unit: int


@dataclass(frozen=True, slots=True)
class Node:
    """Degrees in WGS 84; `cut_off` and `opening_hours` in the node's own time; capacity in fulfilment orders a day."""

    id: str
    name: str
    kind: NodeKind
    address: Address
    latitude: float
    longitude: float
    time_zone: str
    opening_hours: str
    cut_off: str
    daily_capacity: int
    handling_cost: HandlingCost
    priority: int
    services: tuple[str, ...]
    ships_to: tuple[str, ...]
    pickup: bool
    currency: str = "GBP"
    handles: tuple[str, ...] = ("hazmat", "cold", "oversize")

    def ships_to_country(self, country: str) -> bool:
        return not self.ships_to or country in self.ships_to


def centre(
    node_id: str, name: str, address: Address, at: tuple[float, float], zone: str, *, capacity: int, priority: int
) -> Node:
    """A distribution centre: nearly the whole range, everywhere, two shifts and half a Saturday."""
    return Node(
        id=node_id,
        name=name,
        kind=NodeKind.DISTRIBUTION_CENTRE,
        address=address,
        latitude=at[0],
        longitude=at[1],
        time_zone=zone,
        opening_hours="Mo-Fr 06:00-22:00; Sa 07:00-14:00",
        cut_off="17:00",
        daily_capacity=capacity,
        handling_cost=HandlingCost(80, 12),
        priority=priority,
        services=PARCEL_SERVICES,
        ships_to=EVERYWHERE,
        pickup=False,
    )


def warehouse(
    node_id: str,
    name: str,
    address: Address,
    at: tuple[float, float],
    zone: str,
    *,
    capacity: int,
    ships_to: tuple[str, ...],
    hours: str = "Mo-Fr 07:00-19:00",
    cut_off: str = "15:00",
) -> Node:
    """A regional warehouse: the sellers of its region, for its region."""
    return Node(
        id=node_id,
        name=name,
        kind=NodeKind.WAREHOUSE,
        address=address,
        latitude=at[0],
        longitude=at[1],
        time_zone=zone,
        opening_hours=hours,
        cut_off=cut_off,
        daily_capacity=capacity,
        handling_cost=HandlingCost(90, 12),
        priority=20,
        services=PARCEL_SERVICES,
        ships_to=ships_to,
        pickup=False,
    )


def store(
    node_id: str, name: str, address: Address, at: tuple[float, float], zone: str, *, hours: str, capacity: int = 40
) -> Node:
    """A shop: few SKUs, hands out and sends within its country, nothing bulky or dangerous; picks by hand, so dear."""
    return Node(
        id=node_id,
        name=name,
        kind=NodeKind.STORE,
        address=address,
        latitude=at[0],
        longitude=at[1],
        time_zone=zone,
        opening_hours=hours,
        cut_off="14:00",
        daily_capacity=capacity,
        handling_cost=HandlingCost(180, 30),
        priority=40,
        services=("standard", "express"),
        ships_to=(address.country,),
        pickup=True,
        handles=(),
    )


NODES = (
    centre(
        "dc-daventry",
        "Daventry distribution centre",
        Address(("4 Rail Port Approach",), "Daventry", "Northamptonshire", "NN11", "GB"),
        (52.2573, -1.1649),
        "Europe/London",
        capacity=400,
        priority=10,
    ),
    centre(
        "dc-doncaster",
        "Doncaster distribution centre",
        Address(("2 Lakeside Yard",), "Doncaster", "South Yorkshire", "DN4", "GB"),
        (53.5071, -1.1281),
        "Europe/London",
        capacity=300,
        priority=10,
    ),
    warehouse(
        "wh-glasgow",
        "Glasgow warehouse",
        Address(("18 Dock Row",), "Glasgow", "Glasgow City", "G51", "GB"),
        (55.8633, -4.3124),
        "Europe/London",
        capacity=120,
        ships_to=BRITISH_ISLES,
    ),
    warehouse(
        "wh-bristol",
        "Avonmouth warehouse",
        Address(("7 Portside Way",), "Avonmouth", "County of Bristol", "BS11", "GB"),
        (51.5101, -2.6890),
        "Europe/London",
        capacity=150,
        ships_to=BRITISH_ISLES,
    ),
    warehouse(
        "wh-london",
        "Park Royal dark store",
        Address(("31 Canal Yard",), "London", "Greater London", "NW10", "GB"),
        (51.5322, -0.2722),
        "Europe/London",
        capacity=180,
        ships_to=("GB",),
        hours="Mo-Sa 06:00-23:00; Su 09:00-17:00",
        cut_off="19:00",
    ),
    store(
        "store-london",
        "London Covent Garden store",
        Address(("5 Market Court",), "London", "Greater London", "WC2E", "GB"),
        (51.5119, -0.1238),
        "Europe/London",
        hours="Mo-Sa 10:00-20:00; Su 12:00-18:00",
    ),
    store(
        "store-manchester",
        "Manchester store",
        Address(("12 Weaver Street",), "Manchester", "Greater Manchester", "M2", "GB"),
        (53.4809, -2.2374),
        "Europe/London",
        hours="Mo-Sa 09:30-19:00; Su 11:30-17:30",
    ),
    store(
        "store-edinburgh",
        "Edinburgh store",
        Address(("40 Castle Wynd",), "Edinburgh", "City of Edinburgh", "EH1", "GB"),
        (55.9521, -3.1965),
        "Europe/London",
        hours="Mo-Sa 09:30-18:30; Su 11:00-17:00",
    ),
    warehouse(
        "wh-dublin",
        "Dublin warehouse",
        Address(("9 Lock Keepers Yard",), "Dublin", "Leinster", "D12", "IE"),
        (53.3220, -6.3165),
        "Europe/Dublin",
        capacity=80,
        ships_to=("IE", "GB"),
    ),
    centre(
        "dc-dortmund",
        "Dortmund distribution centre",
        Address(("Speicherstraße 11",), "Dortmund", "Nordrhein-Westfalen", "44147", "DE"),
        (51.5290, 7.4510),
        "Europe/Berlin",
        capacity=250,
        priority=15,
    ),
    store(
        "store-berlin",
        "Berlin Mitte store",
        Address(("Am Kupferhof 3",), "Berlin", "Berlin", "10117", "DE"),
        (52.5170, 13.3872),
        "Europe/Berlin",
        hours="Mo-Sa 10:00-20:00",
    ),
    warehouse(
        "wh-lille",
        "Lesquin warehouse",
        Address(("14 rue du Fret",), "Lesquin", "Hauts-de-France", "59810", "FR"),
        (50.5823, 3.1190),
        "Europe/Paris",
        capacity=120,
        ships_to=WESTERN_EUROPE,
    ),
    warehouse(
        "wh-venlo",
        "Venlo warehouse",
        Address(("Grensweg 22",), "Venlo", "Limburg", "5928", "NL"),
        (51.3926, 6.1307),
        "Europe/Amsterdam",
        capacity=150,
        ships_to=CENTRAL_EUROPE,
    ),
    warehouse(
        "wh-zaragoza",
        "Zaragoza warehouse",
        Address(("Calle del Transporte 6",), "Zaragoza", "Zaragoza", "50197", "ES"),
        (41.6561, -0.8773),
        "Europe/Madrid",
        capacity=80,
        ships_to=("ES", "PT", "FR"),
        hours="Mo-Fr 08:00-14:00,15:00-19:00",
        cut_off="13:00",
    ),
    warehouse(
        "wh-milan",
        "Buccinasco warehouse",
        Address(("Via dei Depositi 8",), "Buccinasco", "MI", "20090", "IT"),
        (45.4070, 9.1083),
        "Europe/Rome",
        capacity=80,
        ships_to=("IT", "CH", "AT", "CY", "FR"),
    ),
    Node(
        id="supplier-krakow",
        name="Kraków glass and candle works (drop ship)",
        kind=NodeKind.SUPPLIER,
        address=Address(("ul. Hutnicza 17",), "Kraków", "Lesser Poland", "30-740", "PL"),
        latitude=50.0343,
        longitude=20.0423,
        time_zone="Europe/Warsaw",
        opening_hours="Mo-Fr 07:00-15:00",
        cut_off="11:00",
        daily_capacity=60,
        handling_cost=HandlingCost(150, 10),
        priority=60,
        services=("economy", "standard", "express"),
        ships_to=EVERYWHERE,
        pickup=False,
    ),
)
STORES = tuple(node for node in NODES if node.kind is NodeKind.STORE)
STORE_COUNTRIES = frozenset(node.address.country for node in STORES)


def network_document() -> dict[str, Any]:
    """What `data/sample/network.json` holds."""
    return {"nodes": [asdict(node) for node in NODES]}
