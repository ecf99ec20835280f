"""The reasons that are kept with every decision: figures for an audit, sentences for people.

kept           what is kept of a draft with its decision: enough to audit it, and no more than that for
               every order
never          what is said of goods that no place may ever send or hand out
outlook        what comes next for units that could not be sourced
phrases        the policy's terms in plain words: what a cost is for, why a place was left out, what
               was given up
sentences      the sentences kept with every decision, for the people who answer the customer
strategy_used  why the order was sourced by these rules of the policy and not by others
words          amounts, dates and lists as people say them
"""
