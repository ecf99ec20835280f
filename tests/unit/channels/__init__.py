"""What a channel says becomes an order, in itself.

test_mapping_values    numbers, amounts and times as channels write them
test_mapping_applying  messages read by a mapping
test_mapping_reading   mappings with mistakes
test_correcting        rules that correct what was read, on labelled inputs and on any
test_hard_messages     messages that are meant to break what reads them
"""
