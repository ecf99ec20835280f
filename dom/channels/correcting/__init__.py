"""Correcting what channels send: what is wrong with a value is told by rules, each with a measured confidence.

case        the order that is corrected, and what is known beside it
confidence  how often each rule is right
texts       encodings, unseen characters, emoji, blanks, what stands for nothing
places      countries, postal codes, regions, lines of addresses
countries   names of countries in many languages
people      names, phone numbers, mail addresses
numbers     currencies, decimal marks, rows that stand twice
skus        codes of articles: how they are written, and what resembles them
learned     rules that people made of repairs
engine      the rules in their sequence
"""
