"""What channels send, over HTTP.

test_inbox     messages: kept, taken in, repaired, accounted for
test_mappings  mappings: linted, tried, published
"""
