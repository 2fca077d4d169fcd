"""The reference page in Chromium, against the real hub, back end and worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_meeting_stays_whole_while_the_hub_is_killed_and_comes_back(product: Product) -> None:
    """A2, D1, G2, G4: no reload, every stage once and in order, every event once."""
    product.run("hub_killed")


def test_with_streams_blocked_the_page_polls_and_then_returns_to_the_stream(
    product: Product,
) -> None:
    """G1r, G3r, G5: one position through stream, polling and stream again."""
    product.run("stream_blocked")


def test_the_fault_buttons_do_what_they_say_in_every_tab(product: Product) -> None:
    """A blockade is the hub's, not a tab's: a reload and a second tab show it, and can lift it."""
    product.run("fault_buttons")


def test_two_tabs_and_the_terminal_agree(product: Product) -> None:
    """A1: the page's ``rthub tail`` line, run as it is, and a second tab show the same figures.

    The tabs count what a snapshot leaves out for newer events; the terminal is given all of them.

    The second tab sees an upload of 20 MB in at least five steps.
    """
    product.run("two_tabs")


def test_a_failure_offers_ways_out_that_work(product: Product) -> None:
    """A4: a broken transcript is replaced by a good one, in the same meeting."""
    product.run("recovery")


def test_the_page_is_usable_by_keyboard_and_passes_the_accessibility_rules(
    product: Product,
) -> None:
    """axe-core finds nothing in either colour scheme; a meeting is started without a mouse."""
    product.run("accessible")
