"""EDIFACT.

tokens     from bytes to interchanges, messages and segments
checks     what is wrong with an order, by segment and element
reading    ORDERS and ORDCHG as messages
answers    CONTRL, ORDRSP, DESADV
connector  the connector of the platform `edifact`
"""
