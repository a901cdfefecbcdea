"""Measures: numbers that summarise a result; pure functions, one family a file."""

from __future__ import annotations

from fastneuron.measures.accuracies import accuracy
from fastneuron.measures.shares import fractions, intervals
from fastneuron.measures.trainability import converged, shade

__all__ = ["accuracy", "converged", "fractions", "intervals", "shade"]
