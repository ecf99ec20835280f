"""Typed search attributes of the workflows, registered by `dom up`; for people who search in the Temporal UI."""

from temporalio.common import SearchAttributeKey

CHANNEL = SearchAttributeKey.for_keyword("DomChannel")
STATUS = SearchAttributeKey.for_keyword("DomStatus")
CUSTOMER = SearchAttributeKey.for_keyword("DomCustomer")
NODE = SearchAttributeKey.for_keyword_list("DomNode")
