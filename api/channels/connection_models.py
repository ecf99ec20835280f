"""How channels are connected, as callers see it."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from dom.channels.connection import Connection, Feed
from dom.shared.base import GivenTime, Utc, Value

FeedName = Annotated[Feed, Path(description="What is read: changes, all of the last days, a span, or the stock.")]


class FeedStanding(BaseModel):
    """How far a feed is read."""

    feed: Feed = Field(description="What is read.")
    due_at: Utc | None = Field(description="When it is read next, in UTC; null: not by itself.")
    started_at: Utc | None = Field(description="When the run began, or the last one.")
    finished_at: Utc | None = Field(description="When the last run ended.")
    read: int = Field(description="Orders, or SKUs, that were read in the run, or in the last one.")
    failures: int = Field(description="How often in a row it could not be read.")
    error: str = Field(description="Why, the last time; also what it waits for.")
    failed_at: Utc | None = Field(description="When it could not be read last.")
    position: dict[str, Any] = Field(description="Where it goes on, in the terms of its connector.")


class StockTold(BaseModel):
    """What the channel was told of the stock."""

    skus: int = Field(description="SKUs that it was to be told of.")
    told: int = Field(description="Of these, those that it took.")
    oldest: Utc | None = Field(description="When it took the oldest of what it knows.")
    newest: Utc | None = Field(description="When it took the newest.")


class ConnectionStanding(BaseModel):
    """How a channel is connected, and how that goes."""

    channel: str = Field(description="The channel's code.")
    connection: Connection = Field(description="How it is connected.")
    healthy: bool = Field(description="Whether it is not paused, has its secrets, and no feed fails.")
    paused_at: Utc | None = Field(description="Since when it is paused; null: it is not.")
    paused_by: str = Field(description="Who paused it.")
    pause_reason: str = Field(description="Why.")
    secrets: dict[str, bool] = Field(description="The secrets that its connector reads, and whether they are there.")
    feeds: list[FeedStanding] = Field(description="What is read of it.")
    waiting: int = Field(description="Messages that came and have not had their turn.")
    waits_since: Utc | None = Field(description="When the oldest of them came.")
    quarantined: int = Field(description="Messages that wait for a person.")
    untold: int = Field(description="Messages to the channel that have not left.")
    stock: StockTold = Field(description="What it was told of the stock.")


class ConnectionStandings(BaseModel):
    """All channels that are connected."""

    items: list[ConnectionStanding]


class PauseRequest(Value):
    """Why a channel is paused."""

    reason: Annotated[str, Field(max_length=200)] = Field(default="", description="For the record.")


class ReadRequest(Value):
    """What is to be read; only a back-fill has a span."""

    since: GivenTime | None = Field(default=None, description="Of a back-fill: orders placed from then on.")
    until: GivenTime | None = Field(default=None, description="Of a back-fill: orders placed before then.")
