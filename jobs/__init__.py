"""The keeper: what must happen by itself. It runs in one worker at a time, whichever holds the seat.

job         what the keeper runs
loop        the seat, and the jobs of the one who holds it
sweeping    writes down what the clock alone changed
publishing  tells channels of changes of availability, by webhook; `receiver` is one channel's
allocating  deals out what came in to the orders that wait for it
importing   applies bulk imports
rehearsing  runs the rehearsals that were asked for
shadowing   lets shadows decide beside the live policy
"""
