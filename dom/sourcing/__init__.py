"""Order Fulfilment Logic: the published policy that turns an order and a snapshot into a sourcing plan."""
