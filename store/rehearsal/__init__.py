"""Rehearsals of a policy, and shadows that decide beside the live one.

rehearsals  rehearsals as they are asked for, run and kept
shadows     shadows: drafts of the policy that decide beside the live one, on what it saw, without any
            effect
"""
