"""Shares: which part of a grid each outcome takes.

A point that a half-finished map has not computed yet holds `NOT_COMPUTED` and counts nowhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastneuron.components import shown
from fastneuron.outcomes import Outcome

NOT_COMPUTED = -1


def fractions(outcome: Any) -> dict[Outcome, float]:
    """Share of every outcome among the computed points.

    Parameters
    ----------
    outcome : DataArray or array-like of int, any shape
        Codes of `Outcome`; -1 marks a point that is not computed yet.

    Returns
    -------
    dict of Outcome to float
        All outcomes in the order of the enum, 0.0 where there are none; the shares add up to 1.

    Raises
    ------
    ValueError
        If there is no computed point, or a code is no outcome.

    Examples
    --------
    >>> shares = fractions([1, 1, 4, 5, -1])
    >>> shares[Outcome.REACHED], shares[Outcome.SETTLED]
    (0.5, 0.0)
    """
    codes = np.asarray(outcome)
    counts = {member: int(np.count_nonzero(codes == int(member))) for member in Outcome}
    computed = sum(counts.values())
    missing = int(np.count_nonzero(codes == NOT_COMPUTED))
    if computed + missing != codes.size:
        known = [NOT_COMPUTED, *(int(member) for member in Outcome)]
        strange = codes[~np.isin(codes, known)].flat[0]
        raise ValueError(f"outcome must hold codes from -1 (not computed) to 5, got {shown(strange)}")
    if not computed:
        raise ValueError(f"outcome has no computed point, got {codes.size} points")
    return {member: count / computed for member, count in counts.items()}
