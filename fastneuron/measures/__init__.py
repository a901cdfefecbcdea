"""Measures: numbers that summarise a result; pure functions, one family a file."""

from __future__ import annotations

from fastneuron.measures.shares import fractions, intervals

__all__ = ["fractions", "intervals"]
