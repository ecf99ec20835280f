"""Rehearsals and shadows, as JSON and as a page.

charts         bar charts as SVG: two bars a row, the baseline above the draft, each with its number
examples       rehearsals and shadows
models         rehearsals and shadows as callers see them
page           the report of a rehearsal as one HTML page: its own charts, no script, nothing fetched
               from elsewhere
routes         rehearsals of a policy over recorded orders: asked for here, run by a workflow, read
               here
shadow_routes  shadows: drafts of the policy that decide beside the live one, without effect
"""
