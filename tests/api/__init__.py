"""The HTTP API against the running app; folders as in `api/`.

identity/      who calls
access/        who may do what, keys, the log of what was done
orders/        orders
fulfilment/    work of nodes
delivery/      what carriers report
returns/       returns
reservations/  carts
stock/         scans, counts, changes, safety stocks, values
availability/  what can be promised, and its changes
inbound/       goods on their way in
imports/       files of counts and changes
channels/      channels and their rules
inbox/         what channels send, and its mappings
network/       nodes and SKUs
policy/        policies and drafts
rehearsal/     rehearsals and shadows
health/        servers that are away, killed or not prepared
http/          problems, parameters, cursors, lists: what every route has
contract/      the OpenAPI document and its examples
driving        helpers that speak as channels, nodes and carriers do
promising      channels, their rules, and what they are promised
"""
