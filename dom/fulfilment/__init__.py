"""What is reported of the work of nodes and carriers.

carrier_reports  what a carrier's report of a parcel means for the fulfilment whose parcel it is
"""
