"""What may be promised, now and later, and what changed of it.

availability       what may be promised of SKUs, now and later: the answer behind `GET
                   /v1/availability`
changes            changes of availability, read from the stock ledger: each at least once, in the
                   sequence of the log
preorder_releases  preorders whose day has come: what may be promised of them changes by the
                   calendar alone
published_levels   what a channel was told last of each SKU
"""
