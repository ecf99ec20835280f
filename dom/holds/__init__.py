"""Holds: their types, and the rules that put them on and release them. What stands on an order is `dom.orders.holds`.

policy     the document: types and rules, and what is wrong with one
rules      what the rules say of an order when something happens to it
screening  what a rule's expression can name of an order
"""
