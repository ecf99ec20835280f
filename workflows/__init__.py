"""The durable processes: an order's life and a return's, and what lasts for minutes in the background.

order/          the order's process
returns         the return's process
pricing         what stock is worth, worked out again and again
messages        what is said to and by the workflows
attributes      search attributes
activity_calls  time-outs, retries and refusals of activities
imports         a file of counts or changes is applied
rehearsals      a rehearsal is run
channel_orders  the messages of one order of a channel are taken in
outbox_relay    sends what customers, channels and systems are to be told
runs            what holds for one run of any workflow
words           counts and lists in words, for the Temporal UI
"""
