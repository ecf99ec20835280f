"""What all subdomains share.

test_access        roles, limits, and what may be given away
test_errors        the tree of errors
test_given_texts   names, reasons and ids that callers give
test_ids           ids are built from what they name
test_money         amounts and currencies wherever they are shown or converted
test_strict_input  every scalar of every input is what it looks like
"""
