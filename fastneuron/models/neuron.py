"""One neuron, whose parameters are numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from fastneuron.activations import Activation, Sigmoid
from fastneuron.components import shown
from fastneuron.models.model import Model


@dataclass(frozen=True)
class Neuron(Model):
    """One neuron: a = activation(sum_j weight_j x_j + bias).

    Parameters
    ----------
    inputs : int, 1 or more
        Number of inputs.
    activation : Activation
        Its output as a function of the pre-activation.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.

    Examples
    --------
    >>> import fastneuron as fn
    >>> fn.Neuron().parameters
    ('weight', 'bias')
    >>> fn.Neuron(inputs=2).parameters
    ('weight_0', 'weight_1', 'bias')
    """

    key: ClassVar[str] = "inputs"
    roles: ClassVar[tuple[str, ...]] = ("activation",)

    inputs: int = 1
    activation: Activation = Sigmoid()  # noqa: RUF009 - immutable

    def __post_init__(self) -> None:
        if isinstance(self.inputs, bool) or not isinstance(self.inputs, int) or self.inputs < 1:
            raise ValueError(f"inputs must be a whole number of 1 or more, got {shown(self.inputs)}")
        if not isinstance(self.activation, Activation):
            raise ValueError(
                f"activation must be an activation such as Sigmoid(), got {shown(self.activation)}"
            )

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the weights, in the order of the inputs."""
        return ("weight",) if self.inputs == 1 else tuple(f"weight_{j}" for j in range(self.inputs))

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, the weights and then the bias, by name: they are numbers."""
        return dict.fromkeys((*self.weights, "bias"), ())

    @property
    def usual_start(self) -> float:
        """What a parameter starts from unless told."""
        return 0.0

    @property
    def description(self) -> str:
        """What it is and which parameters it has, for an error line."""
        names = self.weights if self.inputs <= 4 else (self.weights[0], "...", self.weights[-1])
        return f"a neuron of {self.inputs} input{'s'[: self.inputs - 1]} has {', '.join(names)}, bias"

    def largest_input(self, inputs: float, size: float, output_at: Callable[[float], float]) -> float:
        return size * inputs + size
