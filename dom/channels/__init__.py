"""Channels: what each may see and take, and how what it says becomes an order.

channel        a channel, and its rules for stock
messages       messages of channels as they come in
outcomes       how they come, and what becomes of them
faults         what is wrong with a message
channel_order  an order as its channel states it: the form that every channel's orders are brought into
mapping/       how a channel's messages are read: documents that say where each field comes from
"""
