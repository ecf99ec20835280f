"""How a channel's messages are read: a document that says where each field of an order comes from.

document  the document
reading   from a text to a mapping, or to what is wrong with it and where
paths     paths into a message
values    from what a message holds to a value of a field's type
applying  a message read by a mapping
"""
