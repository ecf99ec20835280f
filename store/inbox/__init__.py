"""The inbox of channels.

messages        messages as they came, and what became of each
mappings        published versions of each channel's mapping
channel_orders  what a channel told of an order last
"""
