"""How far a node is from the customer."""

from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt
from typing import Final

from dom.network import Node
from dom.sourcing.models import Place

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG, GRS 80)."""


def great_circle_km(latitude: float, longitude: float, to: Place) -> float:
    """Kilometres between two points as the crow flies.

    The haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984); on a sphere, so up to
    0.6 % off the ellipsoid.
    """
    phi, phi_to = radians(latitude), radians(to.latitude)
    across = sin(radians(to.longitude - longitude) / 2)
    up = sin((phi_to - phi) / 2)
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(up * up + cos(phi) * cos(phi_to) * across * across)))


Point = tuple[float, float, float]
"""Latitude in radians, its cosine, and longitude in degrees."""


def point(latitude: float, longitude: float) -> Point:
    """A place laid out for `great_circles_km`."""
    phi = radians(latitude)
    return phi, cos(phi), longitude


def great_circles_km(points: Iterable[Point], to: Place) -> list[float]:
    """`great_circle_km` from many points to one."""
    phi_to, cos_to, longitude_to = point(to.latitude, to.longitude)
    found = []
    for phi, cos_phi, longitude in points:
        across, up = sin(radians(longitude_to - longitude) / 2), sin((phi_to - phi) / 2)
        found.append(2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(up * up + cos_phi * cos_to * across * across))))
    return found


def distance_km(node: Node, place: Place | None) -> float | None:
    """From the node to the customer, to a tenth of a kilometre; None where the customer's place is not known."""
    return None if place is None else round(great_circle_km(node.latitude, node.longitude, place), 1)
