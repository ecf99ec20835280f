"""Re-allocation: stock reserved for an order that can wait is given to a dearer one whose promise is in danger.

models     who is in danger, who could give, and what comes of it
forecast   when goods on their way reach the orders that wait for them
pairs      which order could give to which, at what gain
obstacles  why nobody gives to an order
choice     the pairs that gain most together and harm nobody: set packing
"""

from dom.sourcing.reallocation.choice import choose, fits
from dom.sourcing.reallocation.forecast import Claim, DueGoods, Forecast
from dom.sourcing.reallocation.models import Endangered, Giver, Giving, Reallocation
from dom.sourcing.reallocation.obstacles import NotHelped, Obstacle, Obstacles
from dom.sourcing.reallocation.pairs import pairs

__all__ = [
    "Claim",
    "DueGoods",
    "Endangered",
    "Forecast",
    "Giver",
    "Giving",
    "NotHelped",
    "Obstacle",
    "Obstacles",
    "Reallocation",
    "choose",
    "fits",
    "pairs",
]
