"""What stock is worth.

test_value      when stock is priced, and what moves a price
test_forecast   rates a day, and the baskets expected of them
test_transport  shadow prices
test_decay      prices lose force with age and surprise
"""
