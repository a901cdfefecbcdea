"""Outcomes: what became of a start, and the rule that says when a start ends.

The definitions (theta_t is the parameters after t updates, theta_0 the start; |theta| is the largest
absolute parameter; closeness is settle * max(1, |theta_t|)):

- DIVERGED at the first t where a parameter or the loss is not finite, or |theta_t| > limit;
- REACHED at the first t where the largest |a - y| over the samples is at most tolerance;
- SETTLED at the first t >= 1 where |theta_t - theta_(t-1)| is at most the closeness and no larger than the
  update before; at t = 1, before which there is none, where nothing moved at all;
- CYCLING with the smallest period p, 2 <= p <= max_period, at the first t where every state of the
  last three periods returned: |theta_s - theta_(s-p)| <= closeness for s = t - 2p .. t, and after p steps
  it comes back far closer than after any fewer: |theta_t - theta_(t-p)| <= sqrt(settle) times the smallest
  |theta_t - theta_(t-q)|, 1 <= q < p (else a decaying oscillation would be a cycle);
- at t = max_steps with none of these: STALLED if max_steps |change of the last step| <=
  stall * max(1, |parameter|) for every parameter, else UNFINISHED, as also where max_steps is 0.

At one t the first in this list counts. So what becomes of a start by t is the same for every max_steps from
t on. All is compared in numbers of the sweep's dtype, to which the fields of a `Stop` are rounded first.

With batches, where an epoch of a start has several steps, one step says little. SETTLED then takes a whole
epoch of such updates, the largest of which is no larger than that of the epoch before, and t is its end; the
change that counts for STALLED is the largest since the last whole epoch began; and CYCLING is not looked for.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, Self

from fastneuron.components import Bound, Component, NonNegative, Positive, component, nearest, shown


class Outcome(IntEnum):
    """What became of a start; the module says when each holds.

    Results hold the codes: compare them with a member, ``result.outcome == fn.Outcome.REACHED``. A text is
    equal to no code: ``result.outcome == "reached"`` is False everywhere, and neither NumPy nor xarray says
    so.

    Attributes
    ----------
    UNFINISHED : 0
        Still moving when the steps ran out.
    REACHED : 1
        Every output within the tolerance of its target.
    SETTLED : 2
        No longer moves, without having reached the targets.
    CYCLING : 3
        Returns to the same state every few steps.
    DIVERGED : 4
        A parameter or the loss grew beyond bounds.
    STALLED : 5
        Moves too slowly to get anywhere in as many steps again.
    sentence : str
        What it means, in a few words.
    color : str
        Its colour in all pictures, as ``#RRGGBB``.
    out_of_steps : bool
        Whether the start was given up at max_steps.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Outcome(4).name, int(fn.Outcome.CYCLING)
    ('DIVERGED', 3)
    >>> fn.Outcome("reached") is fn.Outcome.REACHED
    True
    >>> fn.Outcome.REACHED.sentence
    'every output within the tolerance of its target'
    """

    sentence: str
    color: str
    stacked: int
    drawn: int
    out_of_steps: bool

    # the code; the outcome in a few words; its colour; its place from below in stacks of shares (what got
    # somewhere, what did not, what went wrong) and among curves (those that swing below, those that hardly
    # move on top); whether the start ran out of steps
    UNFINISHED = 0, "still moving when the steps ran out", "#7CCBF5", 2, 2, True
    REACHED = 1, "every output within the tolerance of its target", "#F0E442", 0, 3, False
    SETTLED = 2, "no longer moves, without having reached the targets", "#004C85", 1, 4, False
    CYCLING = 3, "returns to the same state every few steps", "#BF4A00", 4, 1, False
    DIVERGED = 4, "a parameter or the loss grew beyond bounds", "#1A1A1A", 5, 0, False
    STALLED = 5, "moves too slowly to get anywhere in as many steps again", "#CC79A7", 3, 5, True

    def __new__(
        cls,
        code: int,
        sentence: str = "",
        color: str = "",
        stacked: int = 0,
        drawn: int = 0,
        out_of_steps: bool = False,
    ) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.sentence, member.color = sentence, color
        member.stacked, member.drawn, member.out_of_steps = stacked, drawn, out_of_steps
        return member

    @property
    def word(self) -> str:
        """The outcome as legends and tables call it."""
        return self.name.lower()

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        """The member of a name; capitals do not matter."""
        names = {member.word: member for member in cls}
        if isinstance(value, str) and value.lower() in names:
            return names[value.lower()]
        hint = nearest(str(value), names)
        raise ValueError(f"no outcome {shown(value)}{hint}; there are: {', '.join(names)}")


def flags() -> dict[str, Any]:
    """The codes and their meanings, as attributes of a variable by the CF conventions."""
    return {
        "flag_values": [int(one) for one in Outcome],
        "flag_meanings": " ".join(one.name for one in Outcome),
    }


Steps = Annotated[int, Bound("a whole number from 0 to 2147483647", low=0, high=2**31, whole=True)]
Period = Annotated[int, Bound("a whole number from 1 to 65536", low=1, high=65537, whole=True)]
Closeness = Annotated[
    float | None, Bound("zero or positive, or None for the dtype's default", low=0.0, optional=True)
]


@component
class Stop(Component):
    """When a start ends; see the module's definitions.

    Parameters
    ----------
    max_steps : int, 0 <= max_steps < 2**31
        Updates after which a start is given up as UNFINISHED or STALLED. With 0 only the start itself is
        looked at.
    tolerance : float, 0 or more
        REACHED where every distance of an output from its target is at most this.
    settle : float, 0 or more, or None
        Closeness of two states that counts as the same, relative to the larger of 1 and the largest absolute
        parameter. None: 1e-12 in float64 and 2.5e-7 in float32. 0: the same to the bit.
    max_period : int, from 1 to 65536
        Longest period looked for; 1 looks for none.
    limit : float, positive
        DIVERGED where a parameter is beyond it.
    stall : float, 0 or more
        STALLED where as many steps again would change no parameter by more than this, relative to
        the larger of 1 and its absolute value.

    Raises
    ------
    ValueError
        If a field is outside its range or not finite.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Stop(max_steps=500, tolerance=0.05)
    Stop(max_steps=500, tolerance=0.05, settle=None, max_period=64, limit=1000000000000.0, stall=0.01)
    >>> fn.Stop().for_dtype("float32").settle
    2.5e-07
    """

    max_steps: Steps = 2000
    tolerance: NonNegative = 0.1
    settle: Closeness = None
    max_period: Period = 64
    limit: Positive = 1e12
    stall: NonNegative = 0.01

    def for_dtype(self, dtype: str) -> Stop:
        """The same rule with `settle` filled in.

        Parameters
        ----------
        dtype : {"float64", "float32"}
            Where `settle` is None, it becomes 1e-12 or 2.5e-7.

        Returns
        -------
        Stop
            A rule whose `settle` is a number.
        """
        settle = self.settle if self.settle is not None else {"float64": 1e-12, "float32": 2.5e-7}[dtype]
        return Stop(self.max_steps, self.tolerance, settle, self.max_period, self.limit, self.stall)
