"""One (node, SKU) is put right in one short transaction, under the lock of its balance.

Whoever changes a balance, its ledger or its reservations holds that lock when it commits, so what is read after taking
it agrees, and a difference that was only a glimpse is gone. Orders are locked too: whoever works on one has written
its timeline before, which keeps the lock from us, and then the order is left to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.reconcile import balances, held
from store.reconcile.differences import BusyError, CannotMendError, StockFault, Trust

Line = tuple[str, str, str]


@dataclass(slots=True)
class RepairRun:
    """One repair: who, which side is believed, and a number for each of its ledger entries."""

    id: str
    actor: str
    trust: Trust
    entries: int = 0

    def key(self) -> str:
        """The business key of the next ledger entry."""
        self.entries += 1
        return f"reconcile/{self.id}/{self.entries}"


@dataclass(slots=True)
class PlaceRepair:
    """What was done about a place, in words; order lines (order, fulfilment, line) that got their units back, and those
    that could not, with the reason."""

    done: list[str] = field(default_factory=list)
    met: list[Line] = field(default_factory=list)
    unmet: dict[Line, str] = field(default_factory=dict)


_PLACE: Final = "node_id IS NOT DISTINCT FROM CAST(:node_id AS text) AND sku IS NOT DISTINCT FROM CAST(:sku AS text)"
_KNOWN_PLACE: Final = "node_id = CAST(:node_id AS text) AND sku = CAST(:sku AS text)"
"""The same for a place without NULL: only this one finds its way through an index."""

_OPEN = text("""
INSERT INTO stock (node_id, sku, on_hand) SELECT n.id, k.id, 0 FROM nodes n, skus k
WHERE n.id = :node_id AND k.id = :sku AND NOT EXISTS (SELECT FROM stock WHERE node_id = :node_id AND sku = :sku)
ON CONFLICT DO NOTHING
""")
_LOCK = text(f"SELECT * FROM stock WHERE {_KNOWN_PLACE} FOR NO KEY UPDATE")

_GOES_ON = text("UPDATE reservations SET quantity = :quantity WHERE id = :id")
_ENDS = text("""
UPDATE reservations SET status = :status, quantity = greatest(coalesce(quantity, 0), 0),
    expires_at = CASE WHEN kind = 'soft' THEN coalesce(expires_at, statement_timestamp()) ELSE expires_at END
WHERE id = :id
""")
_FOR_NOBODY = text("""
DELETE FROM reservations WHERE id = :id AND CASE kind WHEN 'firm' THEN order_id IS NULL OR fulfilment_id IS NULL
    WHEN 'soft' THEN soft_id IS NULL ELSE true END
""")


async def repair_place(
    connection: AsyncConnection, place: tuple[str | None, str | None], run: RepairRun
) -> PlaceRepair:
    """Put reservations, ledger and balance of a place right. Raises CannotMendError or BusyError: roll back then."""
    return await _Place(connection, dict(zip(("node_id", "sku"), place, strict=True)), run).settle()


class _Place:
    """The work on one place, within one transaction."""

    def __init__(self, connection: AsyncConnection, names: dict[str, str | None], run: RepairRun) -> None:
        self._connection = connection
        self._names = names
        self._where = _PLACE if None in names.values() else _KNOWN_PLACE
        self._run = run
        self._settled = PlaceRepair()
        self._gone = 0

    async def settle(self) -> PlaceRepair:
        """Reservations first, then the balance after them."""
        opened = (await self._connection.execute(_OPEN, self._names)).rowcount > 0
        balance = (await self._connection.execute(_LOCK, self._names)).mappings().one_or_none()
        await self._end_stale(balance is not None)
        row = await self._books()
        if balance is None:
            if row is not None:
                raise CannotMendError("the node or the SKU does not exist: put it in place first, then repair again")
            return self._settled
        await self._take_missing(_target(row, self._run.trust, opened, self._gone) if row else {})
        row = await self._books()
        if row is not None:
            await self._write_balance(row, _target(row, self._run.trust, opened, self._gone))
        return self._settled

    async def _rows(self, query: str, **parameters: Any) -> Sequence[RowMapping]:
        return (await self._connection.execute(text(query), self._names | parameters)).mappings().all()

    async def _books(self) -> RowMapping | None:
        rows = await self._rows(balances.query(self._where))
        return rows[0] if rows else None

    async def _end_stale(self, has_balance: bool) -> None:
        stale = await self._rows(held.stale_firm(self._where))
        mine = await self._locked({row["order_id"] for row in stale if row["has_order"]})
        for row in await self._rows(held.stale_firm(self._where)) if stale else ():
            if row["has_order"] and row["order_id"] not in mine:
                raise BusyError
            if row["wanted"] <= max(row["quantity"] or 0, 0):
                await self._end_firm(row, has_balance)
        for row in await self._rows(held.stale_soft(self._where)):
            counted = row["quantity"] if row["kind"] == "soft" and row["status"] == "active" else 0
            await self._hold(row["id"], "released", 0)
            await self._note(has_balance, row["fault"], soft=-(counted or 0))
            self._settled.done.append(held.of_soft(row).mend)
        await self._reclaim(has_balance)

    async def _end_firm(self, row: RowMapping, has_balance: bool) -> None:
        left = max(row["quantity"] or 0, 0) if row["gone"] else 0
        if left and await self._counted_since(row["left_at"]):
            left = 0
        self._gone += left
        await self._hold(row["id"], "consumed" if row["gone"] else "released", row["wanted"])
        await self._note(
            has_balance,
            row["fault"],
            on_hand=-left,
            reserved=row["wanted"] - (row["quantity"] or 0),
            order_id=row["order_id"] if row["has_order"] else None,
        )
        self._settled.done.append(held.of_firm(row).mend)

    async def _counted_since(self, left_at: Any) -> bool:
        """Whether the node was counted after the goods left: the count has seen that they are gone."""
        found = await self._rows(
            f"SELECT FROM stock WHERE {self._where} AND counted_at > CAST(:left_at AS timestamptz)", left_at=left_at
        )
        return bool(found)

    async def _hold(self, reservation: int, status: str, quantity: int) -> None:
        """A reservation goes on with so many units or, for none, ends; one that is for nobody at all is taken away."""
        names = {"id": reservation, "status": status, "quantity": quantity}
        if quantity:
            await self._connection.execute(_GOES_ON, names)
        else:
            await self._connection.execute(_FOR_NOBODY, names)
            await self._connection.execute(_ENDS, names)

    async def _reclaim(self, has_balance: bool) -> None:
        """What lapsed makes room, and could not stand in a balance that is mended."""
        rows = await self._rows(f"""
            UPDATE reservations SET status = 'expired' WHERE kind = 'soft' AND status = 'active'
            AND expires_at <= statement_timestamp() AND {self._where} RETURNING quantity""")
        if rows:
            await self._note(has_balance, "soft reservations that lapsed", soft=-sum(r["quantity"] or 0 for r in rows))

    async def _take_missing(self, target: Mapping[str, int]) -> None:
        short = [row for row in await self._rows(held.stale_firm(self._where)) if row["wanted"]]
        none = await self._rows(held.missing_firm(self._where))
        if not short and not none:
            return
        mine = await self._locked({row["order_id"] for row in (*short, *none)})
        free = target["on_hand"] - target["reserved"] - target["reserved_soft"] - target["safety_stock"]
        for row in (*await self._rows(held.stale_firm(self._where)), *await self._rows(held.missing_firm(self._where))):
            if row["order_id"] not in mine:
                raise BusyError
            free -= await self._take(row, free)

    async def _take(self, row: RowMapping, free: int) -> int:
        """Reserve what a line lacks; answers the units taken, and keeps in mind what was not to be had."""
        existing = "fault" in row
        lacks = row["wanted"] - (row["quantity"] or 0) if existing else row["quantity"]
        line = (row["order_id"], row["fulfilment_id"], row["line_id"])
        if not existing and row["left"]:
            self._settled.unmet[line] = "the ledger says that the units left, yet the fulfilment is open"
            return 0
        if lacks > free:
            self._settled.unmet[line] = f"{lacks} units are to be reserved, {max(free, 0)} are free"
            return 0
        if existing:
            await self._hold(row["id"], "active", row["wanted"])
        else:
            await self._reserve(row)
        fault = row["fault"] if existing else StockFault.FIRM_MISSING
        await self._note(True, fault, reserved=lacks, order_id=row["order_id"])
        self._settled.done.append(f"{lacks} taken")
        self._settled.met.append(line)
        return int(lacks)

    async def _reserve(self, row: RowMapping) -> None:
        names = ("node_id", "sku", "quantity", "order_id", "fulfilment_id", "line_id")
        wanted = {name: row[name] for name in names}
        ended = await self._connection.execute(
            text("""
            UPDATE reservations SET status = 'active', kind = 'firm', node_id = :node_id, sku = :sku,
                                    quantity = :quantity, order_id = :order_id
            WHERE id = (SELECT id FROM reservations WHERE fulfilment_id = :fulfilment_id AND line_id = :line_id
                        AND status IS DISTINCT FROM 'active' ORDER BY id LIMIT 1)
            """),
            wanted,
        )
        if not ended.rowcount:
            await self._connection.execute(
                text("""
                INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, fulfilment_id, line_id)
                VALUES ('firm', 'active', :node_id, :sku, :quantity, :order_id, :fulfilment_id, :line_id)
                """),
                wanted,
            )

    async def _locked(self, orders: set[str]) -> set[str]:
        """Those of the orders that nobody works on; nobody will until we are done."""
        if not orders:
            return set()
        rows = await self._rows(
            "SELECT id FROM orders WHERE id = ANY(:orders) ORDER BY id FOR UPDATE SKIP LOCKED", orders=sorted(orders)
        )
        return {row["id"] for row in rows}

    async def _write_balance(self, row: RowMapping, target: Mapping[str, int]) -> None:
        """The balance as it should be, and a ledger entry for what the ledger lacks."""
        _check_possible(target)
        lacking = {name: target[name] - row[f"ledger_{name}"] for name in balances.QUANTITIES}
        changed = [name for name in balances.QUANTITIES if row[name] != target[name]]
        if not changed and not any(lacking.values()):
            return
        await self._connection.execute(
            text(f"""
            UPDATE stock SET {", ".join(f"{name} = :to_{name}" for name in balances.QUANTITIES)}, updated_at = now()
            WHERE {self._where}
            """),
            self._names | {f"to_{name}": value for name, value in target.items()},
        )
        words = [f"{name} {row[name]} to {target[name]}" for name in changed]
        if any(lacking.values()) or not self._settled.done:
            await self._note(True, "; ".join(words) or "the ledger follows the balance", **lacking)
        self._settled.done.extend(words or ["the ledger follows the balance"])

    async def _note(self, has_balance: bool, why: str, order_id: str | None = None, **deltas: int) -> None:
        """A ledger entry; a place without a balance cannot have one."""
        if not has_balance:
            return
        entry = {"kind": "reconcile", "business_key": self._run.key(), "order_id": order_id, "reason": why[:500]}
        moved = {balances.DELTAS[_LONG.get(name, name)]: value for name, value in deltas.items()}
        columns = (*moved, *entry)
        await self._connection.execute(
            text(f"""
            INSERT INTO stock_ledger (node_id, sku, actor, occurred_at, {", ".join(columns)})
            VALUES (:node_id, :sku, :actor, statement_timestamp(), {", ".join(f":{name}" for name in columns)})
            """),
            self._names | {"actor": self._run.actor} | moved | entry,
        )


_LONG: Final = {"soft": "reserved_soft"}


def _target(row: RowMapping, trust: Trust, opened: bool, gone: int) -> dict[str, int]:
    """What the balance should say, with the reservations as they are now; `gone` units left in this repair."""
    target = {}
    for name in balances.OWN.values():
        believed = trust is Trust.BALANCE and row[name] is not None and not opened
        target[name] = int(row[name] if believed else row[f"ledger_{name}"])
        if believed and name == "on_hand":
            target[name] -= gone
    return target | {column: int(row[sums]) for column, sums in balances.HELD.values()}


def _check_possible(target: Mapping[str, int]) -> None:
    negative = [f"{value} {name.replace('_', ' ')}" for name, value in target.items() if value < 0]
    if negative:
        raise CannotMendError(f"it would say {', '.join(negative)}: count the place, or trust the other side")
    promised = target["reserved"] + target["reserved_soft"]
    if promised > target["on_hand"]:
        raise CannotMendError(
            f"{promised} are reserved, {target['on_hand']} on hand: count the place, trust the other side, or take "
            "orders off it"
        )
