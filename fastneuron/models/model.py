"""What every kind of model gives: its parameters by name, its activations by role, and words for them.

Not here: what a step of a kind computes (`fastneuron.kernels`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, ClassVar

from fastneuron.activations import Activation
from fastneuron.starts import Distribution

MAX_PARAMETERS = 2**31 - 1


class Model(ABC):
    """A kind of model: which parameters there are and how a forward pass uses them.

    To add one: in a file of this folder, a frozen dataclass of its settings and activations, with `key`,
    `roles`, and what is abstract here; its name in ``models/__init__.py``; and a file of
    ``fastneuron/kernels``, which ``kernels/block.py`` imports, with what `fastneuron.kernels.problem` asks
    for.

    Attributes
    ----------
    key : str
        The setting by which its table in TOML is known: no other kind has one of this name.
    roles : tuple of str
        Those of its fields that are activations; the outputs are those of the last.
    """

    key: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]

    inputs: Any

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of outputs."""

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, by name; () for a number."""

    @property
    @abstractmethod
    def usual_start(self) -> float | Distribution:
        """What a parameter starts from unless told."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What it is and which parameters it has, for an error line."""

    @abstractmethod
    def largest_input(self, inputs: float, size: float, output_at: Callable[[float], float]) -> float:
        """The largest pre-activation of an output that parameters up to a size can give.

        Parameters
        ----------
        inputs : float, 0 or more
            The largest sum of the absolute inputs of a sample.
        size : float, positive
            The largest parameter.
        output_at : callable of float to float
            The largest output of a hidden unit for pre-activations up to a size; infinite where not known.

        Returns
        -------
        float
            A bound, which may be infinite.
        """

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return tuple(self.shapes)

    @property
    def size(self) -> int:
        """How many numbers all parameters are."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def components(self) -> dict[str, Activation]:
        """The activations by role."""
        return {role: getattr(self, role) for role in self.roles}

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The layers that an axis can name; none where it has none."""
        return ()

    @property
    def settings(self) -> dict[str, Any]:
        """What else it is made of, as in TOML."""
        own = [field.name for field in dataclasses.fields(self) if field.name not in self.roles]  # type: ignore[arg-type]
        values = {name: getattr(self, name) for name in own}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def with_activation(self, role: str, record: Activation) -> Model:
        """The model with another activation in one of its roles.

        Parameters
        ----------
        role : str
            One of `roles`.
        record : Activation
            What is to stand there.

        Returns
        -------
        Model
            Otherwise the same.
        """
        own: Any = self
        changed: Model = dataclasses.replace(own, **{role: record})
        return changed

    def is_bias(self, name: str) -> bool:
        """Whether a parameter is a bias, or several: penalties tell these from weights.

        Parameters
        ----------
        name : str
            One of `parameters`.

        Returns
        -------
        bool
            False for weights.
        """
        return name.rpartition(".")[2] == "bias"


@functools.lru_cache(maxsize=64)
def pieces_of(model: Model) -> Mapping[str, slice]:
    """Where each parameter's numbers stand among all of them, in C order, by name."""
    ends = list(accumulate(math.prod(shape) for shape in model.shapes.values()))
    pieces = {name: slice(a, b) for name, a, b in zip(model.shapes, [0, *ends], ends, strict=False)}
    return MappingProxyType(pieces)
