"""What an idle system asks of PostgreSQL, and what a delivered one-line order asks of it and of Temporal: counted.

meter     counts statements, commits and flushes of a PostgreSQL that logs every statement
delivery  takes an order to its end with as little looking as can be
"""
