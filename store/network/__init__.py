"""The network: nodes, tariffs, SKUs and postal codes, remembered until their version moves.

postal_codes  postal codes and where they are: under which keys a code may stand in `places`
              (data/README.md has the rule)
reference     what changes seldom: nodes, tariffs, the policy, SKUs, places. A process remembers it
              until the version moves
versions      networks as they stood: nodes and tariffs, kept once under a digest, so that a decision
              can be made again on them
"""
