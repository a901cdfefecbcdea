"""Trainability: which hyperparameters train a network, from what was recorded of its losses.

The study of Sohl-Dickstein (2024): losses relative to the first one, clipped at 1e6, and 1e6 where they are
not finite.

References
----------
Sohl-Dickstein (2024), "The boundary of neural network trainability is fractal", arXiv:2402.06184.
"""

from __future__ import annotations

import xarray as xr

# the variables: the sum of the losses, that of their inverses, and the mean of the last ones
NEEDED = ("loss_sum", "inverse_sum", "late_loss")


def converged(result: xr.Dataset) -> xr.DataArray:
    """Where the mean of the last losses is below the first loss.

    Parameters
    ----------
    result : Dataset
        With ``late_loss``, which was recorded as ``Mean(last=20, relative=1, clip=1e6)``.

    Returns
    -------
    DataArray of bool
        Over the dims of ``late_loss``; False where it is not computed.

    Raises
    ------
    ValueError
        If ``late_loss`` was not recorded.

    See Also
    --------
    shade : How fast they converge or not.

    References
    ----------
    Sohl-Dickstein (2024), "The boundary of neural network trainability is fractal", arXiv:2402.06184.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import xarray as xr
    >>> result = xr.Dataset({"late_loss": ("learning_rate", [0.5, 1e6])})
    >>> fn.measures.converged(result).values.tolist()
    [True, False]
    """
    _require(result, "late_loss")
    return (result["late_loss"] < 1.0).rename("converged")


def shade(result: xr.Dataset) -> xr.DataArray:
    """What the study draws: minus the sum of the losses where they converge, else the sum of their inverses.

    Parameters
    ----------
    result : Dataset
        With ``loss_sum``, ``inverse_sum`` and ``late_loss``, which were recorded as
        ``Sum(relative=1, clip=1e6)``, ``SumOfInverses(relative=1, clip=1e6)`` and
        ``Mean(last=20, relative=1, clip=1e6)``.

    Returns
    -------
    DataArray
        Over the dims of ``late_loss``: negative where the losses converge, positive where they do not, NaN
        where it is not computed.

    Raises
    ------
    ValueError
        If they were not recorded.

    See Also
    --------
    converged : Where the losses converge.

    References
    ----------
    Sohl-Dickstein (2024), "The boundary of neural network trainability is fractal", arXiv:2402.06184.

    Examples
    --------
    >>> import fastneuron as fn
    >>> import xarray as xr
    >>> sums = {"loss_sum": [30.0, 3e6], "inverse_sum": [40.0, 1.5], "late_loss": [0.5, 1e6]}
    >>> result = xr.Dataset({name: ("learning_rate", values) for name, values in sums.items()})
    >>> fn.measures.shade(result).values.tolist()
    [-30.0, 1.5]
    """
    _require(result, *NEEDED)
    falling = -result["loss_sum"]
    return falling.where(converged(result), result["inverse_sum"]).rename("shade")


def _require(result: xr.Dataset, *names: str) -> None:
    for name in names:
        if name not in result:
            raise ValueError(f"this result has no {name!r}; record it as the spec 'trainability' does")
