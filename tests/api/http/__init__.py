"""What every route has.

test_problems          every error has one shape
test_failures          what a failure behind the API means to the caller
test_requests          what is refused before anything is done
test_strict_input      oddities are corrected, rubbish is refused with its field
test_idempotency_keys  an Idempotency-Key stands for one request
test_cursor            cursors
test_lists             lists of what there is
test_methods           methods that an address does not know
test_nul               characters that cannot be kept
"""
