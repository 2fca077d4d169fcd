"""The reference product's back end: uploads, transcript analysis and live publishing."""

from __future__ import annotations
