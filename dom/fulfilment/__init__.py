"""The work of nodes and carriers.

carrier_reports  what a carrier's report of a parcel means for the fulfilment whose parcel it is
packing          what a carrier is booked for
"""
