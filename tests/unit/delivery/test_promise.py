"""When a node can ship, and when the goods arrive."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.delivery.promise import (
    DAYS_LOOKED_AHEAD,
    PICKUP_HANDLING,
    PICKUP_KEPT,
    ShipDay,
    collection_window,
    delivery_window,
    kept_until,
    open_for,
    openings,
    ship_day,
)
from dom.delivery.zones import zone_of
from tests.worlds.sourcing import ATHENS, LEEDS, PARIS, node


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def never_full(_: date) -> bool:
    return False


MOMENTS_OF_2026 = st.integers(0, 365 * 24 * 60).map(
    lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
MONDAY = date(2026, 3, 2)
SATURDAY = date(2026, 3, 7)


class TestShipDay:
    def test_before_the_cut_off_it_is_today(self) -> None:
        assert ship_day(node("n"), utc("2026-03-02T12:00"), never_full) == ShipDay(MONDAY, utc("2026-03-02T16:00"))

    @pytest.mark.parametrize(
        ("as_of", "day"),
        [
            ("2026-03-02T15:59:59.999999", "2026-03-02"),
            ("2026-03-02T16:00:00", "2026-03-02"),
            ("2026-03-02T16:00:00.000001", "2026-03-03"),
            ("2026-03-02T23:59:59", "2026-03-03"),
        ],
    )
    def test_the_cut_off_counts_to_the_moment(self, as_of: str, day: str) -> None:
        found = ship_day(node("n"), utc(as_of), never_full)
        assert found is not None
        assert found.day == date.fromisoformat(day)

    def test_a_sunday_order_leaves_on_monday(self) -> None:
        assert ship_day(node("n"), utc("2026-03-08T10:00"), never_full) == ShipDay(
            date(2026, 3, 9), utc("2026-03-09T16:00")
        )

    def test_an_order_after_saturdays_cut_off_skips_sunday(self) -> None:
        found = ship_day(node("n"), utc("2026-03-07T16:01"), never_full)
        assert found is not None
        assert found.day == date(2026, 3, 9)

    def test_full_days_are_passed_over(self) -> None:
        full = {MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)}
        found = ship_day(node("n"), utc("2026-03-02T12:00"), full.__contains__)
        assert found is not None
        assert found.day == date(2026, 3, 5)

    def test_a_node_that_is_full_for_a_month_never_ships(self) -> None:
        assert ship_day(node("n"), utc("2026-03-02T12:00"), lambda _: True) is None

    def test_it_looks_thirty_days_ahead_and_no_further(self) -> None:
        last = MONDAY + timedelta(days=DAYS_LOOKED_AHEAD - 1)
        daily = node("n", opening_hours="24/7")
        found = ship_day(daily, utc("2026-03-02T12:00"), lambda day: day < last)
        assert found is not None
        assert found.day == last
        assert ship_day(daily, utc("2026-03-02T12:00"), lambda day: day <= last) is None

    def test_a_node_that_never_opens_never_ships(self) -> None:
        assert ship_day(node("n", opening_hours="off"), utc("2026-03-02T12:00"), never_full) is None

    def test_hours_that_are_not_certain_do_not_count(self) -> None:
        hours = "Mo-Fr 08:00-18:00 unknown; Sa 08:00-18:00"
        found = ship_day(node("n", opening_hours=hours), utc("2026-03-02T12:00"), never_full)
        assert found is not None
        assert found.day == SATURDAY

    def test_public_holidays_are_those_of_the_nodes_country(self) -> None:
        hours = "Mo-Fr 08:00-18:00; PH off"
        bastille = utc("2026-07-14T10:00")
        french = ship_day(node("n", PARIS, "FR", opening_hours=hours), bastille, never_full)
        british = ship_day(node("n", opening_hours=hours), bastille, never_full)
        assert french is not None
        assert british is not None
        assert (french.day, british.day) == (date(2026, 7, 15), date(2026, 7, 14))

    def test_a_country_without_a_holiday_calendar_has_no_holidays(self) -> None:
        assert openings("Mo-Fr 08:00-18:00; PH off", "ZZ", date(2026, 12, 25))
        assert not openings("Mo-Fr 08:00-18:00; PH off", "GB", date(2026, 12, 25))


class TestShipDayInItsZone:
    def test_one_moment_is_before_one_cut_off_and_after_another(self) -> None:
        as_of = utc("2026-03-02T14:30")
        leeds = ship_day(node("leeds", LEEDS), as_of, never_full)
        athens = ship_day(node("athens", ATHENS, "GR"), as_of, never_full)
        assert leeds == ShipDay(MONDAY, utc("2026-03-02T16:00"))
        assert athens == ShipDay(date(2026, 3, 3), utc("2026-03-03T14:00"))

    def test_late_on_sunday_in_utc_is_monday_in_athens(self) -> None:
        as_of = utc("2026-03-08T22:30")
        athens = ship_day(node("athens", ATHENS, "GR"), as_of, never_full)
        leeds = ship_day(node("leeds", opening_hours="24/7"), as_of, never_full)
        assert athens == ShipDay(date(2026, 3, 9), utc("2026-03-09T14:00"))
        assert leeds == ShipDay(date(2026, 3, 9), utc("2026-03-09T16:00"))

    @pytest.mark.parametrize(
        ("as_of", "ship_by"),
        [
            ("2026-03-27T16:00", "2026-03-27T16:00"),
            ("2026-03-27T16:01", "2026-03-28T16:00"),
            ("2026-03-28T16:01", "2026-03-29T15:00"),
            ("2026-03-29T15:00", "2026-03-29T15:00"),
            ("2026-03-29T15:01", "2026-03-30T15:00"),
            ("2026-10-24T15:00", "2026-10-24T15:00"),
            ("2026-10-24T15:01", "2026-10-25T16:00"),
            ("2026-10-25T16:00", "2026-10-25T16:00"),
        ],
    )
    def test_the_cut_off_stays_at_its_local_hour_when_the_clocks_change(self, as_of: str, ship_by: str) -> None:
        found = ship_day(node("n", opening_hours="24/7"), utc(as_of), never_full)
        assert found is not None
        assert found.ship_by == utc(ship_by)

    def test_a_cut_off_in_the_hour_that_comes_twice_is_the_first_one(self) -> None:
        twice = node("n", opening_hours="24/7", cut_off=time(1, 30))
        before = ship_day(twice, utc("2026-10-25T00:30"), never_full)
        after = ship_day(twice, utc("2026-10-25T01:15"), never_full)
        assert before == ShipDay(date(2026, 10, 25), utc("2026-10-25T00:30"))
        assert after == ShipDay(date(2026, 10, 26), utc("2026-10-26T01:30"))

    def test_a_cut_off_in_the_hour_that_is_left_out_still_comes(self) -> None:
        left_out = node("n", opening_hours="24/7", cut_off=time(1, 30))
        found = ship_day(left_out, utc("2026-03-29T00:10"), never_full)
        assert found == ShipDay(date(2026, 3, 29), utc("2026-03-29T01:30"))

    @settings(deadline=None, max_examples=200)
    @given(
        as_of=MOMENTS_OF_2026,
        cut_off=st.times(),
        country=st.sampled_from(["GB", "FR", "GR"]),
    )
    def test_nobody_is_promised_a_day_that_is_over(self, as_of: datetime, cut_off: time, country: str) -> None:
        found = ship_day(node("n", LEEDS, country, cut_off=cut_off), as_of, never_full)
        assert found is not None
        assert found.ship_by >= as_of
        assert found.ship_by - as_of < timedelta(days=4)
        assert found.day.weekday() < 6


class TestDeliveryWindow:
    @pytest.mark.parametrize(
        ("day", "fewest", "most", "earliest", "latest"),
        [
            ("2026-03-02", 1, 2, "2026-03-03T08:00", "2026-03-04T20:00"),
            ("2026-03-02", 0, 0, "2026-03-02T08:00", "2026-03-02T20:00"),
            ("2026-03-06", 1, 1, "2026-03-09T08:00", "2026-03-09T20:00"),
            ("2026-03-05", 1, 2, "2026-03-06T08:00", "2026-03-09T20:00"),
            ("2026-03-07", 1, 2, "2026-03-09T08:00", "2026-03-10T20:00"),
            ("2026-03-07", 0, 0, "2026-03-09T08:00", "2026-03-09T20:00"),
            ("2026-03-02", 5, 10, "2026-03-09T08:00", "2026-03-16T20:00"),
        ],
    )
    def test_transit_counts_monday_to_friday(
        self, day: str, fewest: int, most: int, earliest: str, latest: str
    ) -> None:
        window = delivery_window(date.fromisoformat(day), fewest, most, "GB")
        assert (window.earliest, window.latest) == (utc(earliest), utc(latest))

    @pytest.mark.parametrize(
        ("country", "earliest"),
        [
            ("GR", "2026-03-03T06:00"),
            ("FR", "2026-03-03T07:00"),
            ("US", "2026-03-03T13:00"),
            ("JP", "2026-03-02T23:00"),
            ("ZZ", "2026-03-03T08:00"),
        ],
    )
    def test_eight_in_the_morning_is_eight_where_the_customer_lives(self, country: str, earliest: str) -> None:
        assert delivery_window(MONDAY, 1, 1, country).earliest == utc(earliest)

    def test_the_window_follows_the_clocks_over_their_change(self) -> None:
        spring = delivery_window(date(2026, 3, 27), 1, 1, "GB")
        autumn = delivery_window(date(2026, 10, 23), 1, 1, "GB")
        assert (spring.earliest, spring.latest) == (utc("2026-03-30T07:00"), utc("2026-03-30T19:00"))
        assert (autumn.earliest, autumn.latest) == (utc("2026-10-26T08:00"), utc("2026-10-26T20:00"))

    def test_every_zone_in_the_table_exists(self) -> None:
        countries = "GB FR AU NL DE NO IE CH ES PL PT IT BE LT JP IS JE GG DK CY SE AT IL FI BH GR HK SG LB AE SA CZ CA"
        for country in [*countries.split(), "BR", "US", "MT", "ZA"]:
            assert zone_of(country) is not UTC, country


class TestCollectionWindow:
    HOURS = "Mo-Sa 10:00-18:00"

    def window(self, as_of: str, hours: str = HOURS, full: tuple[date, ...] = ()) -> tuple[date, datetime, datetime]:
        store = node("store", opening_hours=hours, pickup=True, cut_off=time(17))
        found = collection_window(store, utc(as_of), full.__contains__)
        assert found is not None
        assert found.ship_day.ship_by == found.promise.earliest
        return found.ship_day.day, found.promise.earliest, found.promise.latest

    def test_ready_two_hours_after_the_order_and_kept_for_a_week(self) -> None:
        assert self.window("2026-03-02T12:00") == (MONDAY, utc("2026-03-02T14:00"), utc("2026-03-09T14:00"))

    def test_before_opening_the_two_hours_count_from_opening(self) -> None:
        assert self.window("2026-03-02T06:00")[1] == utc("2026-03-02T12:00")

    def test_work_that_is_not_done_by_closing_goes_on_next_day(self) -> None:
        day, ready, _ = self.window("2026-03-02T17:00")
        assert (day, ready) == (MONDAY, utc("2026-03-03T11:00"))

    def test_after_the_cut_off_it_is_the_next_day(self) -> None:
        day, ready, _ = self.window("2026-03-02T17:01")
        assert (day, ready) == (date(2026, 3, 3), utc("2026-03-03T12:00"))

    def test_a_lunch_break_does_not_count(self) -> None:
        assert self.window("2026-03-02T12:00", "Mo-Fr 10:00-13:00,15:00-18:00")[1] == utc("2026-03-02T16:00")

    def test_a_sunday_order_is_ready_on_monday(self) -> None:
        assert self.window("2026-03-08T11:00")[1] == utc("2026-03-09T12:00")

    def test_a_full_day_moves_it(self) -> None:
        day, ready, _ = self.window("2026-03-02T12:00", full=(MONDAY,))
        assert (day, ready) == (date(2026, 3, 3), utc("2026-03-03T12:00"))

    def test_the_last_moment_is_a_moment_of_opening(self) -> None:
        _, ready, latest = self.window("2026-03-02T12:00", "Mo 10:00-18:00; Th 10:00-12:00")
        assert ready == utc("2026-03-02T14:00")
        assert latest == utc("2026-03-09T14:00")
        _, ready, latest = self.window("2026-03-02T12:00", "Mo 10:00-15:00; Th 10:00-12:00")
        assert latest == utc("2026-03-09T14:00")
        _, ready, latest = self.window("2026-03-05T09:00", "Mo 15:00-18:00; Th 10:00-12:00")
        assert (ready, latest) == (utc("2026-03-05T12:00"), utc("2026-03-12T12:00"))

    def test_a_store_without_room_hands_out_nothing(self) -> None:
        assert collection_window(node("store"), utc("2026-03-02T12:00"), lambda _: True) is None

    def test_two_hours_are_two_hours_when_the_clocks_change(self) -> None:
        day, ready, _ = self.window("2026-03-29T00:00", "24/7")
        assert (day, ready) == (date(2026, 3, 29), utc("2026-03-29T02:00"))

    @settings(deadline=None, max_examples=100)
    @given(as_of=MOMENTS_OF_2026)
    def test_nothing_is_ready_before_it_can_be(self, as_of: datetime) -> None:
        found = collection_window(node("store", opening_hours=self.HOURS), as_of, never_full)
        assert found is not None
        ready, latest = found.promise.earliest, found.promise.latest
        assert as_of + PICKUP_HANDLING <= ready < latest <= ready + PICKUP_KEPT


class TestOpenFor:
    """Minutes count while the node is open: Monday to Saturday from 8 to 18 in its own zone."""

    @pytest.mark.parametrize(
        ("since", "minutes", "moment"),
        [
            ("2026-03-02T12:00", 30, "2026-03-02T12:30"),
            ("2026-03-02T17:45", 15, "2026-03-02T18:00"),
            ("2026-03-02T17:45", 30, "2026-03-03T08:15"),  # overnight
            ("2026-03-02T03:00", 30, "2026-03-02T08:30"),  # released before it opens
            ("2026-03-07T17:50", 30, "2026-03-09T08:20"),  # a Sunday in between
            ("2026-03-28T17:50", 30, "2026-03-30T07:20"),  # and the clocks go forward
            ("2026-03-02T12:00", 0, "2026-03-02T12:00"),
            ("2026-03-01T12:00", 0, "2026-03-02T08:00"),
        ],
    )
    def test_the_moment(self, since: str, minutes: int, moment: str) -> None:
        assert open_for(node("n"), utc(since), minutes) == utc(moment)

    def test_a_node_that_does_not_open_is_never_over(self) -> None:
        assert open_for(node("n", LEEDS, "GB", opening_hours="off"), utc("2026-03-02T12:00"), 1) is None


class TestKeptUntil:
    """Until when goods wait for their customer."""

    @pytest.mark.parametrize(
        ("hours", "days", "end"),
        [
            ("Mo-Sa 09:00-18:00", 2, "2026-03-04T18:00"),
            ("Mo-Fr 09:00-12:00,14:00-17:00", 1, "2026-03-03T17:00"),
            ("Mo-Fr 09:00-18:00", 5, "2026-03-09T18:00"),  # not on Saturday and Sunday, so on Monday
            ("24/7", 1, "2026-03-04T00:00"),
            ("off", 3, "2026-03-06T00:00"),
        ],
    )
    def test_is_the_closing_time_of_the_day_or_of_the_next_it_opens(self, hours: str, days: int, end: str) -> None:
        store = node("st", LEEDS, opening_hours=hours)
        assert kept_until(store, utc("2026-03-02T12:00"), days) == utc(end)

    def test_counts_days_of_the_nodes_own_zone_and_clock(self) -> None:
        """In London the clocks go forward on 29 March; in Athens it is tomorrow already."""
        assert kept_until(node("st", LEEDS, opening_hours="24/7"), utc("2026-03-28T12:00"), 1) == utc(
            "2026-03-29T23:00"
        )
        athens = node("st", ATHENS, "GR", time_zone="Europe/Athens", opening_hours="Mo-Su 09:00-20:00")
        assert kept_until(athens, utc("2026-03-02T22:30"), 1) == utc("2026-03-04T18:00")

    @given(since=MOMENTS_OF_2026, days=st.integers(1, 60))
    def test_is_never_before_the_days_are_over(self, since: datetime, days: int) -> None:
        store = node("st", LEEDS, opening_hours="Mo-Sa 09:00-18:00; PH off")
        end = kept_until(store, since, days).astimezone(store.zone)
        assert (end.date() - since.astimezone(store.zone).date()).days >= days
