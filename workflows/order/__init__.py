"""An order's process, from capture to its last unit.

process        the workflow: accept, fulfil, finish
requests       what it is asked and told, by updates and signals
staff          what people ask of it at the Temporal UI or CLI, by signals
holding        holds that end by themselves, and those that are overdue
stored         the order in the store: asked to change, and read
bookings       carriers booked for what is packed, and bookings taken back
asking         what the workflow's messages ask, as commands to the store
sequence       steps are taken one at a time, in the sequence of the messages they follow from
waiting        how units wait for stock
temporal_view  what people see in the Temporal UI
interface      what the bookings need of the order
"""
