"""Fulfilments: one node's work for one order.

cancellation_requests cancellations that nodes are asked for
collections         goods that wait at their node for the customer
fulfilments         fulfilments: one node's work for one order, and the units it is for
unable_nodes        work at nodes that cannot do it any more: switched off, not offering what the
                    work needs, or not on its day
unexpected_reports  reports out of turn: what nodes and carriers say that cannot be true of a
                    fulfilment any more
work_list           the work list: fulfilments with their lines and shipment, open work first, by
                    the time they are to be shipped
"""
