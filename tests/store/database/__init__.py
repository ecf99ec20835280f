"""The database itself.

test_constraints  what it refuses, whoever asks
test_durability   what is not waited for until it is on disk
test_migrations   they build what `store.tables` says
test_seed         the committed sample fills an empty database
"""
