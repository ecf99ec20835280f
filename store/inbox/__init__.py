"""The inbox of channels.

messages          messages as they came, and what became of each
mappings          published versions of each channel's mapping
channel_orders    what a channel told of an order last
corrections       what was corrected of messages, and what is proposed
correction_rules  rules that people made of repairs
quarantine        messages with the same fault, and how full each channel's quarantine is
sku_matches       what the catalogue knows of codes that channels send
"""
