"""The OFL policy and its drafts.

draft_routes  drafts of the OFL policy, by name: kept while they are worked on, published when they are
              ready
examples      the OFL policy: versions, drafts, findings and differences
models        the OFL policy as callers see it: versions, drafts, what is wrong with them, and what
              changes between two
routes        the OFL policy: its published versions, what is wrong with one before it is, and the way
              back
text          A policy in the body of a request: the document as JSON, or its text as YAML
"""
