"""Links of the OpenAPI document: which call goes on with what another one answered (OpenAPI 3.1, Link Object)."""

from typing import Any, Final, NamedTuple


class Follow(NamedTuple):
    """Calls that take one value of an answer: where it stands in the body, and as which parameter they take it."""

    value: str
    parameter: str
    operations: tuple[str, ...]


_ORDER: Final = (
    "getOrder",
    "getOrderTimeline",
    "getOrderSourcing",
    "cancelOrder",
    "changeOrder",
    "listOrderChanges",
    "placeHold",
    "listOrderHolds",
    "addOrderNote",
    "listOrderNotes",
    "prioritiseOrder",
)
_OF_ORDER: Final = (
    "listFulfilments",
    "listCancellationRequests",
    "listCustomerQuestions",
    "listShipments",
    "listMessages",
    "listExceptions",
)
_HOLD: Final = ("releaseHold",)
_STEPS: Final = tuple(
    f"{step}_fulfilment" for step in ("accept", "reject", "pick", "pack", "hand_over", "collect")
)  # fmt: skip
_STAFF: Final = ("loseFulfilment", "deliverFulfilment", "reshipFulfilment")
_COLLECTION: Final = (
    "receiveFulfilmentAtStore",
    "collectedFulfilment",
    "keepFulfilment",
    "putBackFulfilment",
    "shipFulfilment",
)
_FULFILMENT: Final = (
    *_STEPS,
    *_STAFF,
    "moveFulfilment",
    "sourceFulfilmentAgain",
    "splitFulfilment",
    "mergeFulfilment",
    "arrivedFulfilment",
    "getFulfilmentLabel",
    *_COLLECTION,
)
_BULK: Final = ("getBulk", "listBulkItems", "stopBulk", "resumeBulk")
_VIEW: Final = ("getSavedView", "putSavedView", "deleteSavedView")
_CANCELLATION: Final = ("grantCancellationRequest", "refuseCancellationRequest")
_RETURN: Final = ("getReturn", "receiveReturn", "inspectReturn", "cancelReturn", "closeReturn")
_RESERVATION: Final = ("getReservation", "extendReservation", "releaseReservation")
_INBOUND: Final = ("getInbound", "shipInbound", "receiveInbound", "cancelInbound")
_IMPORT: Final = ("getImport", "getImportProblems", "cancelImport")
_REHEARSAL: Final = ("getRehearsal", "getRehearsalReport", "deleteRehearsal")
_DRAFT: Final = ("getDraft", "publishDraft", "deleteDraft")
_SHADOW: Final = ("getShadow", "stopShadow")
_KEY: Final = ("getApiKey", "rotateApiKey", "revokeApiKey")
_SECRET: Final = ("getSigningSecret", "rotateSigningSecret", "revokeSigningSecret")
_EXCEPTION: Final = (
    "getException", "assignException", "takeException", "giveBackException", "snoozeException", "commentException",
    "resolveException", "reopenException", "actOnException",
)  # fmt: skip
_WATCH: Final = ("getWatch", "putWatch", "deleteWatch")
_INBOX: Final = ("getChannelMessage", "checkChannelMessage", "replayChannelMessage", "dismissChannelMessage")
_RULE: Final = ("rehearseCorrectionRule", "publishCorrectionRule", "retireCorrectionRule")
_MAPPING: Final = ("listMappings", "publishMapping", "lintMapping", "previewMapping")
_CONNECTION: Final = ("getConnection", "putConnection", "pauseConnection", "resumeConnection", "readFeed")
_RULES: Final = ("listCorrectionRules", "makeCorrectionRule")
_CHANNEL: Final = (
    "getChannel", "getChannelRules", "putChannelRules", "sendChannelMessage", "getConnection", *_MAPPING, *_RULES,
)  # fmt: skip

FOLLOWS: Final[dict[str, tuple[Follow, ...]]] = {
    "captureOrder": (Follow("/order_id", "order_id", _ORDER), Follow("/order_id", "order", _OF_ORDER)),
    "listOrders": (Follow("/items/0/order_id", "order_id", _ORDER),),
    "createSavedView": (Follow("/id", "view_id", _VIEW), Follow("/id", "view", ("listOrders",))),
    "listSavedViews": (Follow("/items/0/id", "view_id", _VIEW), Follow("/items/0/id", "view", ("listOrders",))),
    "startBulk": (Follow("/id", "bulk_id", _BULK),),
    "listBulk": (Follow("/items/0/id", "bulk_id", _BULK),),
    "listBulkItems": (Follow("/items/0/order_id", "order_id", _ORDER),),
    "getOrder": (
        Follow("/fulfilments/0/id", "fulfilment_id", _FULFILMENT),
        Follow("/messages/0/id", "message_id", ("resendMessage",)),
    ),
    "listFulfilments": (
        Follow("/items/0/id", "fulfilment_id", _FULFILMENT),
        Follow("/items/0/order_id", "order_id", ("getOrder",)),
    ),
    **{step: (Follow("/fulfilment_id", "fulfilment_id", _FULFILMENT),) for step in (*_STEPS, *_STAFF)},
    "mergeFulfilment": (Follow("/made", "fulfilment_id", _FULFILMENT),),
    "splitFulfilment": (Follow("/made", "fulfilment_id", _FULFILMENT),),
    **{
        operation: (
            Follow("/fulfilments/0/id", "fulfilment_id", _FULFILMENT),
            Follow("/order_id", "order_id", ("getOrder",)),
        )
        for operation in ("moveFulfilment", "sourceFulfilmentAgain")
    },
    "listShipments": (
        Follow("/items/0/carrier", "carrier", ("reportCarrierEvents",)),
        Follow("/items/0/fulfilments/0", "fulfilment_id", ("getFulfilmentLabel",)),
    ),
    "listCustomerQuestions": (
        Follow("/items/0/question_id", "question_id", ("answerCustomerQuestion",)),
        Follow("/items/0/order_id", "order_id", ("getOrder",)),
    ),
    "listCancellationRequests": (
        Follow("/items/0/request_id", "request_id", _CANCELLATION),
        Follow("/items/0/order_id", "order_id", ("getOrder",)),
    ),
    "placeHold": (Follow("/hold/hold_id", "hold_id", _HOLD),),
    "listHolds": (
        Follow("/items/0/hold_id", "hold_id", _HOLD),
        Follow("/items/0/order_id", "order_id", ("getOrder", "listOrderHolds", "releaseHold")),
    ),
    "listOrderHolds": (Follow("/order_id", "order_id", ("getOrder", "placeHold")),),
    "listOrderChanges": (Follow("/order_id", "order_id", ("getOrder", "changeOrder")),),
    "listExceptions": (
        Follow("/items/0/id", "exception_id", _EXCEPTION),
        Follow("/items/0/order_id", "order_id", ("getOrder",)),
    ),
    "listWatches": (Follow("/items/0/name", "watch", _WATCH),),
    "putWatch": (Follow("/name", "watch", _WATCH),),
    "reallocateStock": (Follow("/made/0/order_id", "order_id", ("getOrder", "getOrderSourcing")),),
    "prioritiseOrder": (Follow("/order_id", "order_id", ("getOrder",)),),
    "listOrderNotes": (Follow("/order_id", "order_id", ("getOrder", "addOrderNote")),),
    "listMessages": (
        Follow("/items/0/order_id", "order_id", ("getOrder",)),
        Follow("/items/0/id", "message_id", ("resendMessage",)),
    ),
    "resendMessage": (Follow("/message/order_id", "order_id", ("getOrder",)),),
    "requestReturn": (Follow("/return_id", "return_id", _RETURN),),
    "listReturns": (Follow("/items/0/id", "return_id", _RETURN),),
    "receiveReturn": (Follow("/return_id", "return_id", ("getReturn", "inspectReturn", "closeReturn")),),
    "cancelReturn": (Follow("/return_id", "return_id", ("getReturn",)),),
    "closeReturn": (Follow("/return_id", "return_id", ("getReturn", "inspectReturn")),),
    "holdUnits": (Follow("/reservation_id", "reservation_id", _RESERVATION),),
    "announceInbound": (Follow("/reference", "reference", _INBOUND),),
    "listInbound": (Follow("/items/0/reference", "reference", _INBOUND),),
    "shipInbound": (Follow("/reference", "reference", ("receiveInbound",)),),
    "importInventory": (Follow("/id", "import_id", _IMPORT),),
    "listImports": (Follow("/items/0/id", "import_id", _IMPORT),),
    "listNodes": (Follow("/items/0/id", "node_id", ("getNode", "putNode")),),
    "putNode": (Follow("/id", "node_id", ("getNode",)),),
    "listSkus": (Follow("/items/0/id", "sku_id", ("getSku", "putSku")),),
    "putSku": (Follow("/id", "sku_id", ("getSku",)), Follow("/id", "sku", ("getAvailability", "listStockValues"))),
    "listCarriers": (Follow("/items/0/carrier", "carrier", ("reportCarrierEvents",)),),
    "putChannel": (Follow("/id", "channel_id", _CHANNEL),),
    "listChannels": (Follow("/items/0/id", "channel_id", _CHANNEL),),
    "listConnections": (Follow("/items/0/channel", "channel_id", (*_CONNECTION, "getChannel")),),
    "putConnection": (Follow("/channel", "channel_id", (*_CONNECTION, "deleteConnection")),),
    **{
        operation: (Follow("/channel", "channel_id", ("getConnection",)),)
        for operation in ("deleteConnection", "pauseConnection", "resumeConnection", "readFeed")
    },
    "receiveWebhook": (Follow("/id", "inbox_id", _INBOX),),
    "sendChannelMessage": (Follow("/id", "inbox_id", _INBOX),),
    "listChannelMessages": (Follow("/items/0/id", "inbox_id", _INBOX),),
    "replayChannelMessage": (Follow("/id", "inbox_id", _INBOX),),
    "dismissChannelMessage": (Follow("/id", "inbox_id", _INBOX),),
    "getChannelMessage": (Follow("/corrections/0/id", "correction_id", ("acceptCorrection", "rejectCorrection")),),
    "replayAlike": (Follow("/items/0/id", "inbox_id", _INBOX),),
    "listCorrectionRules": (Follow("/items/0/id", "rule_id", _RULE),),
    "makeCorrectionRule": (Follow("/id", "rule_id", _RULE),),
    "rehearseCorrectionRule": (Follow("/id", "rule_id", ("publishCorrectionRule", "retireCorrectionRule")),),
    "listMappings": (Follow("/items/0/version", "version", ("getMapping",)),),
    "publishMapping": (Follow("/version", "version", ("getMapping",)),),
    "listPolicies": (Follow("/items/0/version", "version", ("getPolicy", "restorePolicy")),),
    "publishPolicy": (Follow("/version", "version", ("getPolicy",)),),
    "restorePolicy": (Follow("/version", "version", ("getPolicy",)),),
    "publishDraft": (Follow("/version", "version", ("getPolicy",)),),
    "putDraft": (Follow("/name", "name", (*_DRAFT, "startShadow")),),
    "listDrafts": (Follow("/items/0/name", "name", _DRAFT),),
    "startRehearsal": (Follow("/id", "rehearsal_id", _REHEARSAL),),
    "listRehearsals": (Follow("/items/0/id", "rehearsal_id", _REHEARSAL),),
    "createApiKey": (Follow("/id", "key_id", _KEY),),
    "listApiKeys": (Follow("/items/0/id", "key_id", _KEY),),
    "rotateApiKey": (Follow("/id", "key_id", _KEY),),
    "createSigningSecret": (Follow("/id", "secret_id", _SECRET),),
    "listSigningSecrets": (Follow("/items/0/id", "secret_id", _SECRET),),
    "rotateSigningSecret": (Follow("/id", "secret_id", _SECRET),),
    "startShadow": (Follow("/name", "name", _SHADOW),),
    "listShadows": (Follow("/items/0/name", "name", _SHADOW),),
}
"""By the operation that answers."""


def of(operation_id: str) -> dict[str, Any]:
    """The links of a successful answer of the operation, by name."""
    return {
        target: {"operationId": target, "parameters": {follow.parameter: f"$response.body#{follow.value}"}}
        for follow in FOLLOWS.get(operation_id, ())
        for target in follow.operations
    }
