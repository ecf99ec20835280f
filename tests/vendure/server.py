"""A Vendure server of the tests, and a customer and an administrator of it."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from cli.ports import free_port

HERE: Final = Path(__file__).parent
PLUGIN: Final = HERE.parents[1] / "deploy" / "vendure" / "dom-webhooks.js"
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_READY_WITHIN: Final = 120.0


def node_modules(folder: Path) -> Path | None:
    """The packages, installed once; None where there is no Node.js, or its registry cannot be reached."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        return None
    wanted = (HERE / "package.json").read_text()
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(wanted)
        asked = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(asked, cwd=folder, capture_output=True, check=False, timeout=300).returncode:
            return None
        stamp.write_text(wanted)
    return folder


@dataclass
class VendureServer:
    """A server on a database of its own. Killed, it can be started again."""

    packages: Path
    database: str
    webhook: str
    log: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, fill: bool = False) -> None:
        """Start it, and wait until it answers."""
        environment = {
            **os.environ,
            "NODE_PATH": str(self.packages / "node_modules"),
            "PORT": str(self.port),
            "DATABASE": self.database.replace("+psycopg", ""),
            "WEBHOOK": self.webhook,
            "SECRET": SECRET,
            "PLUGIN": str(PLUGIN),
            **({"FILL": "1"} if fill else {}),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(shutil.which("node")), str(HERE / "server.js")],
                cwd=self.packages,
                env=environment,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + _READY_WITHIN
        done = self.log.read_text().count("ready") + 1
        while self.log.read_text().count("ready") < done:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """End it where it stands."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class Api:
    """A session with one of its two APIs."""

    def __init__(self, server: VendureServer, path: str) -> None:
        self._url, self._headers = f"{server.url}{path}", dict[str, str]()

    def ask(self, query: str, **variables: Any) -> Any:
        """What the one field of a query answers; an error result fails."""
        asked = {"query": query, "variables": variables}
        answer = httpx.post(self._url, json=asked, headers=self._headers, timeout=30)
        token = answer.headers.get("vendure-auth-token")
        if token:
            self._headers = {"Authorization": f"Bearer {token}"}
        found = answer.json()
        assert not found.get("errors"), json.dumps(found)[:2000]
        (value,) = found["data"].values()
        assert not (isinstance(value, dict) and "errorCode" in value), value
        return value


def customer(server: VendureServer) -> Api:
    """Somebody who visits the shop."""
    return Api(server, "/shop-api")


def administrator(server: VendureServer) -> Api:
    """Somebody who runs it."""
    api = Api(server, "/admin-api")
    api.ask('mutation { login(username: "superadmin", password: "superadmin") { __typename } }')
    return api


_ERROR: Final = "... on ErrorResult { errorCode message }"


def place(server: VendureServer, units: Mapping[str, int], *, mail: str = "ada@customer.example") -> str:
    """A customer orders and pays; answers the order's code."""
    variants = administrator(server).ask("{ productVariants(options: {take: 100}) { items { id sku } } }")["items"]
    ids = {each["sku"]: each["id"] for each in variants}
    shop = customer(server)
    for sku, count in units.items():
        add = (
            f"mutation Add($id: ID!, $n: Int!) {{ addItemToOrder(productVariantId: $id, quantity: $n) {{ {_ERROR} }} }}"
        )
        shop.ask(add, id=ids[sku], n=count)
    who = {"firstName": "Ada", "lastName": "Young", "emailAddress": mail}
    shop.ask(f"mutation Who($it: CreateCustomerInput!) {{ setCustomerForOrder(input: $it) {{ {_ERROR} }} }}", it=who)
    where = {
        "fullName": "Ada Young",
        "streetLine1": "12 Mill Lane",
        "city": "York",
        "postalCode": "YO1 7EP",
        "countryCode": "GB",
    }
    to = f"mutation To($it: CreateAddressInput!) {{ setOrderShippingAddress(input: $it) {{ {_ERROR} }} }}"
    shop.ask(to, it=where)
    method = shop.ask("{ eligibleShippingMethods { id } }")[0]["id"]
    shop.ask(
        f"mutation By($id: [ID!]!) {{ setOrderShippingMethod(shippingMethodId: $id) {{ {_ERROR} }} }}", id=[method]
    )
    go = 'mutation Go { transitionOrderToState(state: "ArrangingPayment") { ... on Order { id } } }'
    shop.ask(go)
    pay = f"mutation Pay($it: PaymentInput!) {{ addPaymentToOrder(input: $it) {{ ... on Order {{ code }} {_ERROR} }} }}"
    return str(shop.ask(pay, it={"method": "card", "metadata": {}})["code"])


ORDER: Final = """
query Order($code: String!) { orders(options: {filter: {code: {eq: $code}}}) { items {
  id code state lines { id quantity orderPlacedQuantity productVariant { sku } }
  payments { refunds { id total reason } } fulfillments { id state trackingCode lines { quantity } }
  history(options: {filter: {type: {eq: "ORDER_NOTE"}}}) { items { data } }
} } }
"""


def order(server: VendureServer, code: str) -> Any:
    """The order as its administrators see it."""
    return administrator(server).ask(ORDER, code=code)["items"][0]


def stock(server: VendureServer) -> dict[str, int]:
    """What can be sold of each SKU."""
    query = "{ productVariants(options: {take: 100}) { items { sku stockLevels { stockOnHand stockAllocated } } } }"
    items = administrator(server).ask(query)["items"]
    return {
        each["sku"]: each["stockLevels"][0]["stockOnHand"] - each["stockLevels"][0]["stockAllocated"] for each in items
    }
