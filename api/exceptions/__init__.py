"""The exception queue, and the desk where people work on it.

examples        exceptions
models          what a person must look at, and what may be done about it
filtering       which are asked for: parameters of the list and of its counts
routes          exceptions: what a person must look at, and how many
desk_routes     what people do with them
watch_examples  watches on milestones
watch_models    the list of watches
watch_routes    watches: milestones that are to be reached in time
"""
