"""The exceptions desk: what people see of the exception queue, and do with it.

queue     the queue with its filters, and counts that equal the lists they open
changes   an exception that a person changes, and comments
watches   watches on milestones, and the exceptions they open and close
"""
