"""Orders of trading partners by EDI: interchanges in files, answers in files.

settings     what has to be known of a partner
interchange  what both standards are read as
orders       from transaction sets to the present state of an order, and what the partner knows of it
numbers      control numbers that rise without gaps, and files that are written once
locking      a lock of the operating system
state        what is kept beside the folder: interchanges that came, states of orders
partner      the connector of both standards
x12          X12: 850 and 860 in, 997 and TA1, 855, 856 out
edifact      EDIFACT: ORDERS and ORDCHG in, CONTRL, ORDRSP, DESADV out
"""
