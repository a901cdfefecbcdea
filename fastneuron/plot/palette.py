"""Palette: the colours of outcomes and truth tables, the same in every picture.

The outcome colours are Okabe and Ito's, with lightness moved apart (L* 9, 31, 47, 61, 78, 89) so that
they also differ in greyscale and to eyes without red or green cones; held by
`test_outcome_colours_differ_in_greyscale_and_for_the_colour_blind`. REACHED is the brightest, DIVERGED
the darkest.

References
----------
Okabe, Ito (2008), Color universal design. Tol (2021), Colour schemes, SRON/EPS/TN/09-002 ("muted").
"""

from __future__ import annotations

from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_hex, to_rgb

from fastneuron.outcomes import Outcome

COLORS = {outcome: outcome.color for outcome in Outcome}
NOT_COMPUTED = "#F0F0F0"
HATCH = "#BDBDBD"
OTHER = "#B0B0B0"
LEAST, LARGEST = 1e-200, 1e200  # amounts that are told apart: Matplotlib's scales overflow beyond
FARTHEST = 4e306  # coordinates beyond it overflow in Matplotlib
LOG_FROM = 30  # largest over smallest amount where the colours become logarithmic
CATEGORIES = (
    "#332288",
    "#44AA99",
    "#CC6677",
    "#88CCEE",
    "#117733",
    "#AA4499",
    "#882255",
    "#999933",
)


def muted(color: str) -> str:
    """The colour as a background for what is drawn in full colours: two thirds of the way to white."""
    red, green, blue = (1 - (1 - part) / 3 for part in to_rgb(color))
    return to_hex((red, green, blue))


def outcome_colormap() -> tuple[ListedColormap, BoundaryNorm]:
    """The colormap and norm that turn codes of `Outcome` into their colours."""
    return listed(list(COLORS.values()))


def listed(colors: list[str]) -> tuple[ListedColormap, BoundaryNorm]:
    """The colormap and norm that turn 0, 1, ... into `colors`; masked is transparent."""
    edges = [index - 0.5 for index in range(len(colors) + 1)]
    return ListedColormap(colors), BoundaryNorm(edges, len(colors))


def sequential(under: str, over: str | None = None) -> Colormap:
    """The colormap for amounts, less is brighter, with colours for what is below (and above) its range."""
    return colormaps["viridis_r"].with_extremes(bad=(0.0, 0.0, 0.0, 0.0), under=under, over=over)
