"""Typed search attributes of the workflows, registered by `dom up` and `dom prepare`; for people who search in the
Temporal UI.
"""

from typing import Any, Final

from temporalio.common import SearchAttributeKey

CHANNEL = SearchAttributeKey.for_keyword("DomChannel")
STATUS = SearchAttributeKey.for_keyword("DomStatus")
CUSTOMER = SearchAttributeKey.for_keyword("DomCustomer")
NODE = SearchAttributeKey.for_keyword_list("DomNode")

ALL: Final[tuple[SearchAttributeKey[Any], ...]] = (CHANNEL, STATUS, CUSTOMER, NODE)
"""What a namespace must know before the first order: the server refuses a workflow with an attribute it does not."""
