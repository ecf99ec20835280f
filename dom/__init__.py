"""The pure core: what an order is, what may happen to it, and how it is sourced. No I/O and no clock.

Models are pydantic's; HiGHS solves what is too big to enumerate, CEL evaluates the conditions of a policy.

shared/         values, texts, identifiers, money, errors
documents/      documents that people write: read, with each mistake at its line
orders/         an order, its checks at capture, its units and their statuses
fulfilment/     what carriers are booked for, and what their reports mean
stock/          available to promise; who gets what came in
network         nodes and SKUs
sourcing/       Order Fulfilment Logic (OFL): policy, planner, solver, explanation, rehearsal, values of stock
delivery/       promise, tariffs, parcels, time zones
returns         what may come back, and what is refunded
channels/       what each channel may see and take; how what it says becomes an order
notifications/  kinds of messages
exceptions/     what a person must look at, and does about it
watches         milestones that are to be reached in time
"""
