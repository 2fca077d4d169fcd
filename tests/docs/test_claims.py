"""What the pages say is there is there."""

from __future__ import annotations

import re

from hub.telemetry.metrics import Metrics
from tests.docs.pages import page


def test_every_metric_is_described_and_every_described_one_exists():
    families = {family.name for family in Metrics().registry.collect()}
    described = set(re.findall(r"`(rthub_\w+)", page("docs/operations.md").text))
    assert {name.removesuffix("_total") for name in described} == families
