"""The exception queue.

examples  exceptions
models    what a person must look at
routes    exceptions: what a person must look at
"""
