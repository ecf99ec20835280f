"""Channels: what each may see and take, and how what it says becomes an order.

channel        a channel, and its rules for stock
messages       messages of channels as they come in
outcomes       how they come, and what becomes of them
faults         what is wrong with a message
channel_order  an order as its channel states it: the form that every channel's orders are brought into
corrections    a value that a rule puts in place of another, and from what confidence on it acts
correction_rules  rules that people make of repairs
mapping/       how a channel's messages are read: documents that say where each field comes from
correcting/    the rules that correct what was read
"""
