"""What is asked of Shopify's Admin GraphQL API."""

from typing import Final

_SHOP: Final = "{ shopMoney { amount } }"
_MONEY: Final = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_LINES: Final = f"""{{
  nodes {{
    id sku name quantity currentQuantity unfulfilledQuantity requiresShipping
    originalUnitPriceSet {_SHOP} totalDiscountSet {_SHOP}
  }}
  pageInfo {{ hasNextPage endCursor }}
}}"""
GET_ORDER: Final = f"""
query GetOrder($id: ID!) {{ order(id: $id) {{
  id name createdAt updatedAt cancelledAt test displayFinancialStatus
  currencyCode presentmentCurrencyCode taxesIncluded email phone note tags
  customer {{ id firstName lastName email phone }}
  shippingAddress {{ name company address1 address2 city provinceCode zip countryCodeV2 phone }}
  shippingLines(first: 3) {{ nodes {{ title discountedPriceSet {_SHOP} }} }}
  lineItems(first: 50) {_LINES}
  totalPriceSet {_MONEY}
  transactions(first: 10) {{ id gateway kind status amountSet {_SHOP} }}
  fulfillments(first: 50) {{ id status displayStatus trackingInfo(first: 1) {{ number }} }}
  refunds(first: 20) {{
    id note refundLineItems(first: 10) {{ nodes {{ quantity restockType lineItem {{ id }} }} }}
  }}
}} }}
"""
"""One order, within the 1,000 points that one query may ask for. Of more lines the others are asked for besides."""
MORE_LINES: Final = f"""
query MoreLines($id: ID!, $after: String!) {{ order(id: $id) {{ lineItems(first: 50, after: $after) {_LINES} }} }}
"""
LIST_ORDERS: Final = """
query ListOrders($first: Int!, $after: String, $query: String!, $sortKey: OrderSortKeys!) {
  orders(first: $first, after: $after, query: $query, sortKey: $sortKey) {
    nodes { id updatedAt } pageInfo { hasNextPage endCursor }
  }
}
"""
OPEN_WORK: Final = """
query OpenWork($id: ID!) { order(id: $id) { fulfillmentOrders(first: 10) { nodes {
  id status lineItems(first: 50) { nodes { id remainingQuantity lineItem { id } } }
} } } }
"""
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
