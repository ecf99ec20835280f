"""Orders: captured once, their timeline, their reads, and what a process needs to go on.

bulk_runs  one action on many orders: what was asked, and what became of each
customer_questions questions to customers, and what they were told of each line
orders     orders and their lines: captured once, then only their units' counts and their status move
processes  orders and returns that must have a process, and what a person is told of those that have none,
           or a wrong one
reads      reads that people and programs ask for: an order with everything about it, lists with filters,
           returns
resuming   what a process needs to know of an order that is under way, to go on where the store stands
saved_views filters of the order list that people keep under a name, for themselves or shared
search     orders that people look for, at any number of orders
search_conditions  what each part of an order filter asks, of an order at hand and of all
state      an order's units as the store holds them: what is decided on
timeline   the order's timeline: append-only events with actor, reason and data; a business key makes each
           happen once
"""
