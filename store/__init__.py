"""PostgreSQL: repositories, tables, migrations. All SQL is here; use cases are in `services`.

database/       connections, schema, locks, JSON parameters
tables/         the tables; migrations/ how a database comes to them
enums           the finite sets of columns
ledger/         the stock ledger as a log with readers
orders/         orders, timeline, reads
fulfilment/     fulfilments, work list, reports that came too late
backorders/     orders that wait for stock, and what is allocated to them
stock/          balances, reservations, counts, changes, safety stock
availability/   what may be promised, and its changes
inbound/        goods on their way in
imports/        bulk imports of counts and changes
reconcile/      differences between the books, found and repaired
delivery/       shipments
returns         returns
exceptions      the exception queue
notifications/  messages
network/        nodes, tariffs, SKUs, postal codes
channels        channels and their rules
inbox/          messages of channels, mappings, what a channel told of an order last
access/         API keys, and the log of what callers did
policy/         published policies and drafts
sourcing/       the planner's snapshot, decisions, re-optimisation, values of stock
rehearsal/      rehearsals and shadows
reports/        reads for people
"""
