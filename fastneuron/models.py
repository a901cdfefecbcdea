"""Models: which parameters there are and how a forward pass uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastneuron.activations import Activation, Sigmoid
from fastneuron.components import shown


@dataclass(frozen=True)
class Neuron:
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
    >>> Neuron().parameters
    ('weight', 'bias')
    >>> Neuron(inputs=2).parameters
    ('weight_0', 'weight_1', 'bias')
    """

    inputs: int = 1
    activation: Activation = field(default_factory=Sigmoid)

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
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters: the weights, then the bias."""
        return (*self.weights, "bias")
