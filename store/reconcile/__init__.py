"""Whether balances, ledger, reservations and orders agree, and bringing them back together.

differences   what can differ, each with a name
balances      balances against their ledger and their reservations
held          reservations against orders, fulfilments and soft reservations
days          nodes' days against the fulfilments they work on
transit       inbound against what the ledger says left and came in
finding       all of it, in one snapshot
place_repair  one place is put right, under its lock
repairing     everything that was found is put right
"""

from store.reconcile.differences import StockDifference, StockFault, Trust
from store.reconcile.finding import Findings, find
from store.reconcile.repairing import Repaired, repair

__all__ = ["Findings", "Repaired", "StockDifference", "StockFault", "Trust", "find", "repair"]
