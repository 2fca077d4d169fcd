"""The reference product in Chromium, as people use it: practice, news, company, bad networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(320)]


def test_a_practice_session_is_coached_and_its_milestones_are_celebrated_once(
    product: Product,
) -> None:
    """B2, B3, B4: hints as one types, scores by dimension, one celebration in all tabs, a summary.

    A reload is in the same place; progress is there for who comes late.
    """
    product.run("practice")


def test_two_people_see_each_other_and_each_reads_for_himself(product: Product) -> None:
    """A3, C1, D5: presence, the list of meetings live, notices in all tabs, sign-out everywhere.

    The end of a meeting waits in its owner's inbox, over a reload, until the owner looks at it.
    """
    product.run("team")


def test_a_meeting_stays_whole_over_a_dropped_a_stalled_and_an_absent_network(
    product: Product,
) -> None:
    """D1, G5r, H1: the page's own faults, in all tabs of the browser."""
    product.run("network")


def test_every_place_passes_the_accessibility_rules_wide_and_narrow(
    product: Product,
) -> None:
    """K1: sign-in, practice, room and notifications, and nothing that sticks out at 360 pixels."""
    product.run("accessible_places")
