"""What is asked of Vendure's Admin API."""

from typing import Final

_ORDER: Final = """
fragment Order on Order {
  id code state active type createdAt updatedAt orderPlacedAt currencyCode
  customer { id firstName lastName emailAddress phoneNumber }
  shippingAddress { fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber }
  shippingLines { shippingMethod { code name } discountedPriceWithTax }
  lines {
    id quantity orderPlacedQuantity unitPriceWithTax linePriceWithTax proratedLinePriceWithTax
    productVariant { id sku name }
  }
  totalWithTax shippingWithTax
  payments { id method amount state transactionId refunds { id state total reason } }
  fulfillments { id state method trackingCode lines { orderLineId quantity } }
  history(options: {take: 100, filter: {type: {eq: "ORDER_NOTE"}}}) { items { id data } }
}
"""
LOGIN: Final = """
mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password, rememberMe: true) {
    ... on CurrentUser { id } ... on ErrorResult { errorCode message }
  }
}
"""
LIST_ORDERS: Final = (
    """
query ListOrders($options: OrderListOptions!) { orders(options: $options) { items { ...Order } totalItems } }
"""
    + _ORDER
)
ADD_NOTE: Final = """
mutation AddNote($input: AddNoteToOrderInput!) { addNoteToOrder(input: $input) { id } }
"""
ADD_FULFILMENT: Final = """
mutation AddFulfilment($input: FulfillOrderInput!) {
  addFulfillmentToOrder(input: $input) {
    ... on Fulfillment { id state } ... on ErrorResult { errorCode message }
  }
}
"""
MOVE_FULFILMENT: Final = """
mutation MoveFulfilment($id: ID!, $state: String!) {
  transitionFulfillmentToState(id: $id, state: $state) {
    ... on Fulfillment { id state } ... on ErrorResult { errorCode message }
  }
}
"""
CANCEL: Final = """
mutation Cancel($input: CancelOrderInput!) {
  cancelOrder(input: $input) { ... on Order { id state } ... on ErrorResult { errorCode message } }
}
"""
REFUND: Final = """
mutation Refund($input: RefundOrderInput!) {
  refundOrder(input: $input) { ... on Refund { id state } ... on ErrorResult { errorCode message } }
}
"""
LIST_VARIANTS: Final = """
query ListVariants($options: ProductVariantListOptions!) {
  productVariants(options: $options) {
    items { id sku stockLevels { stockLocationId stockOnHand stockAllocated } } totalItems
  }
}
"""
SET_STOCK: Final = """
mutation SetStock($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }
"""
