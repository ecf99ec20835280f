"""The API without the servers behind it.

test_outage          it starts before them, and serves again when they come back
test_killed_servers  kill -9 of Temporal and PostgreSQL under load
test_unprepared      servers that answer but were not prepared
"""
