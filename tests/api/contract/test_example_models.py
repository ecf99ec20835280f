"""Every example in the API document is what its model takes or answers."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from api.access import models as access
from api.access import secret_models as secrets
from api.availability import change_models
from api.availability import models as availability
from api.bulk import examples as bulk_examples
from api.bulk import models as bulk
from api.channels import models as channels
from api.delivery import models as delivery
from api.exceptions import models as exceptions
from api.exceptions import watch_models
from api.fulfilment import cancellation_models
from api.fulfilment import models as fulfilments
from api.health import models as health
from api.health.problem_routes import ProblemMeaning
from api.inbound import models as inbound
from api.network import models as network
from api.notifications import models as notifications
from api.orders import models as orders
from api.orders import note_models, priority_models, view_models
from api.policy import models as policies
from api.questions import models as question_models
from api.reservations import models as reservations
from api.returns import models as returns
from api.stock import models as stock
from api.stock import reallocation_models, safety_models, value_models
from dom.channels.channel import Channel
from dom.network import Node, Sku
from dom.orders.calls import CancelResult
from dom.orders.intake import OrderRequest
from dom.orders.return_calls import ReturnResult
from dom.sourcing.policy.document import Policy
from dom.watches import Watch
from tests.worlds import api_examples as examples


@pytest.mark.parametrize(
    ("model", "example"),
    [
        *((OrderRequest, example) for example in examples.ORDERS.values()),
        *((orders.CancelRequest, example) for example in examples.CANCELS.values()),
        *((fulfilments.StepReport, example) for step in examples.STEPS.values() for example in step.values()),
        *((delivery.CarrierEvents, example) for example in examples.CARRIER_EVENTS.values()),
        *((stock.Adjustments, example) for example in examples.ADJUSTMENTS.values()),
        *((returns.NewReturn, example) for example in examples.RETURN_REQUESTS.values()),
        *((returns.ReturnCancellation, example) for example in examples.RETURN_CANCELS.values()),
        *((returns.ReturnClosing, example) for example in examples.RETURN_CLOSES.values()),
        *((returns.ReturnReceipt, example) for example in examples.RECEIVES.values()),
        *((returns.ReturnInspection, example) for example in examples.INSPECTS.values()),
        (orders.OrderCaptured, examples.ORDER_CAPTURED),
        (orders.OrderList, examples.ORDER_LIST),
        (view_models.SavedView, examples.SAVED_VIEW),
        (view_models.SavedViewList, examples.SAVED_VIEW_LIST),
        *((view_models.SavedViewRequest, body) for body in examples.SAVED_VIEWS.values()),
        *((bulk.BulkRequest, body) for body in bulk_examples.REQUESTS.values()),
        (bulk.BulkPreview, bulk_examples.PREVIEW),
        (bulk.BulkDetail, bulk_examples.RUN),
        (bulk.BulkDetail, bulk_examples.STOPPED),
        (bulk.BulkList, bulk_examples.LIST),
        (bulk.BulkItemList, bulk_examples.ITEMS),
        (orders.OrderDetail, examples.ORDER),
        *((note_models.NoteRequest, body) for body in examples.NOTES.values()),
        (note_models.OrderNote, examples.NOTE),
        (note_models.OrderNotes, examples.ORDER_NOTES),
        *((priority_models.PrioritiseRequest, body) for body in examples.PRIORITIES.values()),
        (priority_models.OrderPrioritised, examples.PRIORITISED),
        *((reallocation_models.ReallocationRequest, body) for body in examples.REALLOCATION_REQUESTS.values()),
        (reallocation_models.Reallocations, examples.REALLOCATIONS),
        *((notifications.ResendRequest, body) for body in examples.RESENDS.values()),
        (notifications.MessageResent, examples.MESSAGE_RESENT),
        (orders.Timeline, examples.TIMELINE),
        (orders.Sourcing, examples.SOURCING),
        (CancelResult, examples.CANCELLED),
        *((fulfilments.StaffCall, body) for said in examples.SAID.values() for body in said.values()),
        *((fulfilments.CollectedCall, body) for body in examples.SAID["collected"].values()),
        *((fulfilments.KeepRequest, body) for body in examples.KEEPS.values()),
        *((fulfilments.ShipReport, body) for body in examples.SHIPS.values()),
        (fulfilments.FulfilmentShipped, examples.SHIPPED),
        (fulfilments.FulfilmentKept, examples.KEPT),
        *((fulfilments.Why, body) for body in examples.PUTS_BACK.values()),
        (fulfilments.GoodsPutBack, examples.PUT_BACK),
        *((fulfilments.MoveRequest, body) for body in examples.MOVES.values()),
        *((fulfilments.SourceAgainRequest, body) for body in examples.SOURCES_AGAIN.values()),
        (fulfilments.FulfilmentSourcedAgain, examples.SOURCED_AGAIN),
        *((fulfilments.SplitRequest, body) for body in examples.SPLITS.values()),
        (fulfilments.FulfilmentSplit, examples.SPLIT),
        *((fulfilments.MergeRequest, body) for body in examples.MERGES.values()),
        (fulfilments.FulfilmentMerged, examples.MERGED),
        (fulfilments.FulfilmentMoved, examples.MOVED),
        *((fulfilments.FulfilmentCorrected, answer) for answer in examples.CORRECTED.values()),
        (fulfilments.WorkList, examples.WORK_LIST),
        (question_models.CustomerQuestionList, examples.QUESTIONS),
        (question_models.CustomerQuestion, examples.QUESTION_ANSWERED),
        *((question_models.ChoiceRequest, body) for body in (*examples.CHOICES.values(), *examples.ANSWERS.values())),
        *((question_models.QuestionForCustomer, each) for each in (examples.FOR_CUSTOMER, examples.BY_CUSTOMER)),
        (cancellation_models.CancellationRequestList, examples.REQUESTED),
        (cancellation_models.CancellationOfWork, examples.GRANTED),
        (cancellation_models.CancellationOfWork, examples.REFUSED),
        *(
            (cancellation_models.CancellationReply, body)
            for body in (*examples.GRANTS.values(), *examples.REFUSALS.values())
        ),
        (fulfilments.StepTaken, examples.STEP_TAKEN),
        (delivery.CarrierEventResults, examples.CARRIER_RESULTS),
        (change_models.AvailabilityChanges, examples.AVAILABILITY_CHANGES),
        (stock.AdjustmentResults, examples.ADJUSTMENT_RESULTS),
        *((stock.Counts, body) for body in examples.COUNTS.values()),
        (stock.CountResults, examples.COUNT_RESULTS),
        (stock.ImportDetail, examples.IMPORT),
        (stock.ImportList, examples.IMPORT_LIST),
        (availability.Availability, examples.AVAILABILITY),
        (availability.Promises, examples.PROMISES),
        (Channel, examples.CHANNEL),
        (channels.Channels, examples.CHANNELS),
        (channels.ChannelRules, examples.CHANNEL_RULES),
        *((availability.AvailabilityQuery, body) for body in examples.AVAILABILITY_QUERIES.values()),
        *((availability.PromiseRequest, body) for body in examples.PROMISE_REQUESTS.values()),
        *((channels.ChannelRequest, body) for body in examples.CHANNEL_REQUESTS.values()),
        *((inbound.InboundAnnouncement, body) for body in examples.INBOUND_ANNOUNCEMENTS.values()),
        *((inbound.InboundStep, body) for body in examples.INBOUND_SHIPS.values()),
        *((inbound.InboundReceipt, body) for body in examples.INBOUND_RECEIPTS.values()),
        *((inbound.CancelInbound, body) for body in examples.INBOUND_CANCELS.values()),
        *((access.KeyRequest, body) for body in examples.KEY_REQUESTS.values()),
        *((access.KeyRotation, body) for body in examples.KEY_ROTATIONS.values()),
        (access.NewApiKey, examples.NEW_API_KEY),
        (access.ApiKey, examples.API_KEY),
        *((secrets.SecretRequest, body) for body in examples.SECRET_REQUESTS.values()),
        *((access.KeyRotation, body) for body in examples.SECRET_ROTATIONS.values()),
        (secrets.NewSigningSecret, examples.NEW_SIGNING_SECRET),
        (secrets.SigningSecret, examples.SIGNING_SECRET),
        (secrets.SigningSecret, examples.REVOKED_SIGNING_SECRET),
        (secrets.SigningSecretList, examples.SIGNING_SECRET_LIST),
        (access.ApiKey, examples.REVOKED_API_KEY),
        (access.ApiKeyList, examples.API_KEY_LIST),
        (access.AuditLog, examples.AUDIT_LOG),
        (inbound.InboundDetail, examples.INBOUND),
        (inbound.InboundDetail, examples.INBOUND_ANNOUNCED),
        (inbound.InboundDetail, examples.INBOUND_SHIPPED),
        (inbound.InboundDetail, examples.INBOUND_CANCELLED),
        (inbound.InboundReceiptAnswer, examples.INBOUND_RECEIVED),
        (inbound.InboundList, examples.INBOUND_LIST),
        *((safety_models.SafetyStocks, body) for body in examples.SAFETY_STOCKS.values()),
        (safety_models.SafetyStockResults, examples.SAFETY_STOCK_RESULTS),
        *((value_models.MarkDowns, body) for body in examples.MARK_DOWNS.values()),
        (value_models.MarkDownResults, examples.MARK_DOWN_RESULTS),
        (value_models.StockValues, examples.STOCK_VALUES),
        *((reservations.ReservationRequest, example) for example in examples.RESERVATION_REQUESTS.values()),
        *((reservations.Extension, example) for example in examples.RESERVATION_EXTENSIONS.values()),
        (reservations.Reservation, examples.RESERVATION),
        (reservations.Reservation, examples.RESERVATION_RELEASED),
        (Policy, examples.POLICY_DOCUMENT),
        (policies.PolicyVersions, examples.POLICY_VERSIONS),
        (policies.PolicyDetail, examples.POLICY),
        (policies.PolicyChecked, examples.POLICY_CHECKED),
        (policies.PolicyPublished, examples.POLICY_PUBLISHED),
        (policies.PolicyPublished, examples.POLICY_RESTORED),
        (policies.PolicyDifference, examples.POLICY_DIFFERENCE),
        (policies.DraftList, examples.DRAFTS),
        (policies.DraftDetail, examples.DRAFT),
        (policies.DraftHead, examples.DRAFT_HEAD),
        (returns.ReturnOpened, examples.RETURN_OPENED),
        (returns.ReturnList, examples.RETURN_LIST),
        (returns.ReturnDetail, examples.RETURN),
        (ReturnResult, examples.RETURN_RECEIVED),
        (ReturnResult, examples.RETURN_REFUNDED),
        (ReturnResult, examples.RETURN_CANCELLED),
        (network.NodeList, examples.NODE_LIST),
        (network.SkuList, examples.SKU_LIST),
        (delivery.CarrierList, examples.CARRIER_LIST),
        (delivery.ShipmentList, examples.SHIPMENT_LIST),
        (notifications.MessageList, examples.MESSAGE_LIST),
        (exceptions.ExceptionList, examples.EXCEPTION_LIST),
        (exceptions.ExceptionDetail, examples.EXCEPTION),
        (exceptions.ExceptionDetail, examples.EXCEPTION_ACTED),
        (exceptions.ExceptionDetail, examples.EXCEPTION_RESOLVED),
        (exceptions.ExceptionDetail, examples.EXCEPTION_SNOOZED),
        (exceptions.ExceptionCountsAnswer, examples.EXCEPTION_COUNTS),
        *((exceptions.NewOwner, body) for body in examples.ASSIGNMENTS.values()),
        *((exceptions.Seen, body) for body in examples.SEEN.values()),
        *((exceptions.Snoozing, body) for body in examples.SNOOZES.values()),
        *((exceptions.NewComment, body) for body in examples.COMMENTS.values()),
        *((exceptions.Resolution, body) for body in examples.RESOLUTIONS.values()),
        (Watch, examples.WATCH),
        *((Watch, body) for body in examples.WATCHES.values()),
        (watch_models.WatchList, examples.WATCH_LIST),
        (Node, examples.NODE),
        (Sku, examples.SKU),
        (health.Alive, examples.ALIVE),
        (health.Ready, examples.READY),
        (ProblemMeaning, examples.PROBLEM_MEANING),
    ],
)
def test_an_example_is_what_it_shows(model: type[Any], example: dict[str, Any]) -> None:
    shown = TypeAdapter(model).validate_json(json.dumps(example))
    assert set(example) <= set(shown.model_dump())
