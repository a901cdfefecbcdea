"""Networks of dense layers, whose parameters are arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastneuron.activations import Activation, Sigmoid
from fastneuron.components import nearest, shown
from fastneuron.models.model import MAX_PARAMETERS, Model
from fastneuron.starts import Distribution, normal


class Layer(NamedTuple):
    """One dense layer of a network: z = factor (x W) + b, then its activation.

    first : the number of its first weight among all parameters; its weights are in C order of (inputs,
    units), its biases, if it has any, follow.
    """

    inputs: int
    units: int
    factor: float
    first: int


SCALES: dict[str, Callable[[int, int, bool], float]] = {
    # of inputs and units of a layer, and whether it is the last
    "none": lambda inputs, units, last: 1.0,
    "fan_in": lambda inputs, units, last: math.sqrt(1.0 / inputs),
    "xavier": lambda inputs, units, last: math.sqrt(2.0 / (inputs + units)),
    "he": lambda inputs, units, last: math.sqrt(2.0 / inputs),
    "mean_field": lambda inputs, units, last: 1.0 / inputs if last else math.sqrt(1.0 / inputs),
}
MAX_UNITS = 2**20


@dataclass(frozen=True)
class Network(Model):
    """Dense layers, one after the other: layer l computes z = s_l (x W_l) + b_l and then its activation.

    Parameters
    ----------
    sizes : sequence of int, 2 or more, each from 1 to 2**20
        Numbers of inputs, of the units of each hidden layer, and of outputs: ``(784, 30, 10)``.
    hidden : Activation
        Of all layers but the last.
    output : Activation
        Of the last layer.
    bias : bool
        Whether the layers have biases.
    scale : {"none", "fan_in", "xavier", "he", "mean_field"}
        The factor s_l, a part of the model, so that gradients carry it: 1; 1/sqrt(inputs);
        sqrt(2/(inputs + units)) (Glorot and Bengio 2010); sqrt(2/inputs) (He et al. 2015); 1/sqrt(inputs),
        and 1/inputs for the last layer (Mei, Montanari and Nguyen 2018).

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed; or if there are 2**31 parameters or more.

    See Also
    --------
    Neuron : One neuron, whose parameters are numbers.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks",
    International Conference on Artificial Intelligence and Statistics, PMLR 9, 249-256.

    He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers: surpassing human-level performance on
    ImageNet classification", International Conference on Computer Vision.

    Mei, Montanari and Nguyen (2018), "A mean field view of the landscape of two-layer neural networks",
    Proceedings of the National Academy of Sciences 115(33), E7665-E7671.

    Examples
    --------
    >>> import fastneuron as fn
    >>> network = fn.Network((2, 3, 1), hidden=fn.Tanh())
    >>> network.parameters
    ('layer0.weight', 'layer0.bias', 'layer1.weight', 'layer1.bias')
    >>> network.shapes["layer0.weight"], network.size
    ((2, 3), 13)
    """

    key: ClassVar[str] = "sizes"
    roles: ClassVar[tuple[str, ...]] = ("hidden", "output")

    sizes: tuple[int, ...]
    hidden: Activation = Sigmoid()  # noqa: RUF009 - immutable
    output: Activation = Sigmoid()  # noqa: RUF009 - immutable
    bias: bool = True
    scale: str = "none"

    def __post_init__(self) -> None:
        sizes: Any = self.sizes
        if isinstance(sizes, np.ndarray):
            sizes = sizes.tolist()  # of an array without dimensions, a number
        whole = isinstance(sizes, list | tuple) and all(
            isinstance(n, int | np.integer) and not isinstance(n, bool) and 1 <= n <= MAX_UNITS for n in sizes
        )
        if not whole or len(sizes) < 2:
            raise ValueError(
                f"sizes must be two or more whole numbers from 1 to {MAX_UNITS}, as (784, 30, 10), "
                f"got {shown(self.sizes)}"
            )
        object.__setattr__(self, "sizes", tuple(int(n) for n in sizes))
        for role, record in (("hidden", self.hidden), ("output", self.output)):
            if not isinstance(record, Activation):
                raise ValueError(f"{role} must be an activation such as Sigmoid(), got {shown(record)}")
        if not isinstance(self.bias, bool):
            raise ValueError(f"bias must be True or False, got {shown(self.bias)}")
        if not isinstance(self.scale, str) or self.scale not in SCALES:
            raise ValueError(
                f"scale must be one of {', '.join(SCALES)}, got {shown(self.scale)}"
                f"{nearest(str(self.scale), SCALES)}"
            )
        if self.size > MAX_PARAMETERS:
            raise ValueError(f"sizes: at most {MAX_PARAMETERS} parameters are possible, got {self.size}")

    @property
    def usual_start(self) -> Distribution:
        """What a parameter starts from unless told: with equal units, it could not become anything."""
        return normal(0.0, 1.0)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.sizes[0]

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.sizes[-1]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, from the inputs to the outputs."""
        made: list[Layer] = []
        first = 0
        for k, (inputs, units) in enumerate(pairwise(self.sizes)):
            factor = SCALES[self.scale](inputs, units, k == len(self.sizes) - 2)
            made.append(Layer(inputs, units, factor, first))
            first += inputs * units + (units if self.bias else 0)
        return tuple(made)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        for k, layer in enumerate(self.layers):
            shapes[f"layer{k}.weight"] = (layer.inputs, layer.units)
            if self.bias:
                shapes[f"layer{k}.bias"] = (layer.units,)
        return shapes

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What axes call the layers."""
        return tuple(f"layer{k}" for k in range(len(self.sizes) - 1))

    @property
    def description(self) -> str:
        """What it is and which parameters it has, for an error line."""
        shapes = [f"{name} {'x'.join(map(str, shape))}" for name, shape in self.shapes.items()]
        told = shapes if len(shapes) <= 4 else [*shapes[:2], "...", shapes[-1]]
        return f"a network {'-'.join(map(str, self.sizes))} has {', '.join(told)}"

    def largest_input(self, inputs: float, size: float, output_at: Callable[[float], float]) -> float:
        shift = size if self.bias else 0.0
        largest = self.layers[0].factor * size * inputs + shift
        for layer in self.layers[1:]:
            inputs = layer.inputs * output_at(largest)
            largest = layer.factor * size * inputs + shift
        return largest
