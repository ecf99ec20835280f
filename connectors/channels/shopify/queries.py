"""What is asked of Shopify's Admin GraphQL API."""

from typing import Final

_MONEY: Final = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_ORDER: Final = f"""
fragment Order on Order {{
  id name createdAt updatedAt cancelledAt test displayFinancialStatus displayFulfillmentStatus
  currencyCode presentmentCurrencyCode taxesIncluded email phone note tags
  customAttributes {{ key value }}
  customer {{ id firstName lastName email phone tags }}
  shippingAddress {{ name company address1 address2 city provinceCode zip countryCodeV2 phone }}
  shippingLines(first: 5) {{ nodes {{ title code discountedPriceSet {_MONEY} taxLines {{ priceSet {_MONEY} }} }} }}
  lineItems(first: 250) {{ nodes {{
    id sku name quantity currentQuantity unfulfilledQuantity refundableQuantity requiresShipping isGiftCard
    originalUnitPriceSet {_MONEY} totalDiscountSet {_MONEY} taxLines {{ priceSet {_MONEY} }}
  }} }}
  totalPriceSet {_MONEY} totalDiscountsSet {_MONEY} totalTaxSet {_MONEY}
  transactions(first: 50) {{ id gateway kind status amountSet {_MONEY} }}
  fulfillments(first: 100) {{
    id status displayStatus trackingInfo(first: 10) {{ company number url }}
    fulfillmentLineItems(first: 250) {{ nodes {{ quantity lineItem {{ id }} }} }}
  }}
  refunds(first: 100) {{ id note totalRefundedSet {_MONEY} }}
  fulfillmentOrders(first: 50) {{ nodes {{
    id status lineItems(first: 250) {{ nodes {{ id remainingQuantity lineItem {{ id }} }} }}
  }} }}
}}
"""

GET_ORDER: Final = "query GetOrder($id: ID!) { order(id: $id) { ...Order } }" + _ORDER
LIST_ORDERS: Final = (
    """
query ListOrders($first: Int!, $after: String, $query: String!, $sortKey: OrderSortKeys!) {
  orders(first: $first, after: $after, query: $query, sortKey: $sortKey) {
    nodes { ...Order } pageInfo { hasNextPage endCursor }
  }
}
"""
    + _ORDER
)
ADD_TAGS: Final = """
mutation AddTags($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { userErrors { field message } } }
"""
FULFIL: Final = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}
"""
FULFILMENT_EVENT: Final = """
mutation FulfilmentEvent($event: FulfillmentEventInput!) {
  fulfillmentEventCreate(fulfillmentEvent: $event) { fulfillmentEvent { id } userErrors { field message } }
}
"""
CANCEL: Final = """
mutation CancelOrder($orderId: ID!, $reason: OrderCancelReason!, $staffNote: String) {
  orderCancel(orderId: $orderId, reason: $reason, staffNote: $staffNote, restock: true, notifyCustomer: false,
              refundMethod: {originalPaymentMethodsRefund: false}) {
    job { id } orderCancelUserErrors { field message code }
  }
}
"""
REFUND: Final = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } }
}
"""
_LEVEL: Final = """
sku inventoryItem { id inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } } }
"""
LIST_VARIANTS: Final = f"""
query ListVariants($first: Int!, $after: String, $query: String, $location: ID!) {{
  productVariants(first: $first, after: $after, query: $query) {{
    nodes {{ {_LEVEL} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
SET_QUANTITIES: Final = """
mutation SetQuantities($input: InventorySetQuantitiesInput!) {
  inventorySetQuantities(input: $input) { userErrors { code field message } }
}
"""
