"""What several tests share: small worlds, outside parties, and words for what people do.

small               the small network of tests on a database
sourcing            worlds for the planner alone
policies            policies in a line
policy_files        policies with mistakes, and which
sourcing_cases      orders, worlds and policies drawn at random
recording           recorded decisions of a live system in a few lines
rehearsing          decisions to rehearse, and a policy that decides otherwise
channel_messages    what a shop sends of an order, and its mapping
order_documents     a good order as a document, and changes of it
shelf               a network for tests of stock alone
shelf_model         what stock must do, in plain Python
shelf_statements    what the database says of the shelves
written             orders and fulfilments written straight into the store
advancing           fulfilments come to a status
selling             orders sold, shipped, cancelled straight in the store
backorders          orders that wait
carts               carts that hold units
inbounds            goods on their way in
returning           what customers and nodes do to a return
returned            what must hold of returns
retiring            nodes that change under their orders
reoptimising        re-optimisations
books               what must hold of the books
broken              a database edited by hand
reconciling         books broken by hand, compared and mended
trial               many tries on one database, each undone
commanding          orders without a store, and commands to them
running             a worker on a small world
steps               what nodes, carriers and customers do
outside             outside parties that remember
failing             senders and a database that fail
living              orders and returns beside their processes
relay_process       a worker that only relays
background          imports and rehearsals as they come in, and a barrier to stop them at
background_process  a worker that applies imports and runs rehearsals in small steps
seen                what the Temporal UI says
access              callers of the API
api_examples        examples of the contract
stack               `dom up` in a process of its own
commands            `dom` commands
keyed               a Temporal server that wants an API key
tls                 a TLS front before a server
waiting             waiting for what happens meanwhile
"""
