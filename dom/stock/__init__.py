"""Stock: available to promise, and who gets what came in.

allocation  who gets what came in: orders that wait keep their place, by priority, then by age
atp         available to promise on later days: what is free now, what is inbound, and what waiting orders
            have a claim on
"""
