"""The OFL policy: published versions, and drafts.

drafts    drafts of the policy, by name: what somebody works on. They decide nothing until they are
          published
policies  published versions of the OFL policy. The newest is live; none ever changes, which the database
          sees to
"""
