"""Models: which parameters there are and how a forward pass uses them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastneuron.activations import Activation, Sigmoid
from fastneuron.components import nearest, shown
from fastneuron.starts import Distribution, normal


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
    >>> import fastneuron as fn
    >>> fn.Neuron().parameters
    ('weight', 'bias')
    >>> fn.Neuron(inputs=2).parameters
    ('weight_0', 'weight_1', 'bias')
    """

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
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters: the weights, then the bias."""
        return (*self.weights, "bias")

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return 1

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, by name: they are numbers."""
        return dict.fromkeys(self.parameters, ())

    @property
    def size(self) -> int:
        """How many numbers all parameters are."""
        return self.inputs + 1

    @property
    def usual_start(self) -> float:
        """What a parameter starts from unless told."""
        return 0.0

    @property
    def components(self) -> dict[str, Activation]:
        """The activation by its role."""
        return {"activation": self.activation}


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
MAX_PARAMETERS = 2**31 - 1


@dataclass(frozen=True)
class Network:
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
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, which are arrays: for each layer its weights, then its biases."""
        return tuple(self.shapes)

    @property
    def size(self) -> int:
        """How many numbers all parameters are."""
        last = self.layers[-1]
        return last.first + last.inputs * last.units + (last.units if self.bias else 0)

    @property
    def components(self) -> dict[str, Activation]:
        """The activations by role."""
        return {"hidden": self.hidden, "output": self.output}


Model = Neuron | Network


@functools.lru_cache(maxsize=64)
def pieces_of(model: Model) -> Mapping[str, slice]:
    """Where each parameter's numbers stand among all of them, in C order, by name."""
    ends = list(accumulate(math.prod(shape) for shape in model.shapes.values()))
    pieces = {name: slice(a, b) for name, a, b in zip(model.shapes, [0, *ends], ends, strict=False)}
    return MappingProxyType(pieces)
