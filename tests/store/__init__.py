"""Repositories and SQL, and services on them, against a real PostgreSQL; folders as in `store/`.

database/       constraints, migrations, sample data
orders/         lists and the timeline of orders
fulfilment/     the work list
backorders/     orders that wait for stock
stock/          balances, reservations, counts, changes, safety stock
availability/   what may be promised, and its changes
inbound/        goods on their way in
inbox/          what the catalogue knows of channels' codes
imports/        files of counts and changes
reconcile/      differences between the books, found and repaired
delivery/       shipments
notifications/  messages
network/        nodes, tariffs, SKUs
test_channels   channels and their rules
access/         API keys
policy/         published policies
sourcing/       decisions, planning, re-optimisation, values of stock
rehearsal/      rehearsals and shadows
reports/        reads for people
"""
