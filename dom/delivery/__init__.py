"""Delivery: the calendar behind every promise, carriers' rates, and parcels.

parcels  how big and heavy the goods of one fulfilment are, what a carrier charges for, and how many boxes
         they fill
promise  the calendar behind every promise: when a node can ship or hand out, and when the goods arrive
tariffs  what carriers charge: table rates by service, lane and weight, and the quote for a shipment
zones    in which time zone a country's deliveries are promised
"""
