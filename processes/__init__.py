"""The typed client of the durable processes: start, ask, signal, look after. Used by the API, the CLI and jobs.

client           one connection to Temporal: start and ask, update, signal, and what it means if a workflow has ended
orders           what is asked of an order's process
returns          what is asked of a return's process
brought_back     the process of a parcel's return that its carrier's report opened
channel_orders   what takes in a channel's messages of an order, and what it asks of orders
background_work  imports and rehearsals begun and cancelled
signals          many orders signalled at once
consistency      orders and returns beside their processes: which have none, which do not agree with the store
runs             the last run of a workflow, as Temporal describes it
revival          the process of an order or a return started anew, where the store stands
reshipping       a parcel that came back is sent once more, and an order that had ended lives again
exception_actions  what can be done about an exception in one call
missing          what is said of an order or a return that has no process
errors           what can go wrong on the way, in our own errors
"""
