"""X12.

tokens     from bytes to interchanges, groups, transaction sets and segments
checks     what is wrong with a purchase order, by segment and element
reading    850 and 860 as messages
answers    997 and TA1, 855, 856
connector  the connector of the platform `x12`
"""
