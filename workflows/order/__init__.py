"""An order's process, from capture to its last unit.

process        the workflow: accept, fulfil, finish; its updates and signals
sequence       steps are taken one at a time, in the sequence of the messages they follow from
fulfilment     one fulfilment, from a node's work list into the customer's hands
cancelling     units cancelled before hand-over
arrival        a lost parcel that arrived after all
waiting        how units wait for stock
resuming       going on where the store stands, when an earlier run is gone
continuing     going on in a new run, before the history becomes too long
temporal_view  what people see in the Temporal UI
interface      what these need of the order
"""
