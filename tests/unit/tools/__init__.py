"""The tools of the project.

test_limits         sizes, names and who opens exceptions
test_explore        fixed examples, and new ones that are kept
test_sample_build   from the ledger's rows to orders
test_sample_data    the committed sample
test_first_minutes  the picture in the README
"""
