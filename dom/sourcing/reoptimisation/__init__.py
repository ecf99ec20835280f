"""Re-optimisation: work that no node has begun is planned anew, for many orders together.

Orders are planned one by one as they are placed; a later one, or stock that moved, may show that an earlier one would
better have gone elsewhere. The idea, and how much it is worth, is that of P. J. Xu, R. Allgor and S. C. Graves,
"Benefits of Reevaluating Real-Time Order Fulfillment Decisions", M&SOM 11 (2009).

models      what is looked at, and what comes of it
pool        the stock and the nodes' days that the orders share
options     the plans each order could have
choice      one plan an order, so that all of them fit: a set-partitioning problem
sweep       all of it together
"""

from dom.sourcing.reoptimisation.models import Held, Joint, PlannedChange, Unbegun
from dom.sourcing.reoptimisation.sweep import sweep

__all__ = ["Held", "Joint", "PlannedChange", "Unbegun", "sweep"]
