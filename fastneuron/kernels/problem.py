"""Problems: what a kernel needs to know of a sweep, for each kind of model.

A problem is a record of components, data and sizes; in kernels every field is what it is here. What a kind of
model computes is found by the class of its problem: its file (`neuron`, `network`) says what `step`,
`summary` and the others below mean for it.

To add a kind of model: a class of the fields that `NeuronProblem` has but for activation, x, y and theta,
with the properties below; an implementation of `step`, `summary` and `samples_of`; and what makes a problem
of the description, registered with `problem_of`.
"""

import functools
from typing import Any, NamedTuple

from numba import types
from numba.extending import intrinsic

from fastneuron.kernels.jit import compiled_as
from fastneuron.kernels.layers import SUMS_AT
from fastneuron.kernels.memory import put
from fastneuron.kernels.records import bound_type, bound_value


class NeuronProblem(NamedTuple):
    """One neuron.

    The components are records whose varying fields are a `Row`. x : flat tuple or array of n d numbers; y :
    tuple or array of n; theta : tuple or array of d + 1 and memory : tuple of `slots` numbers, of which only
    the length counts; mean : 1 / n.
    """

    activation: Any
    loss: Any
    penalty: Any
    optimizer: Any
    batch: Any
    record: Any
    x: Any
    y: Any
    theta: Any
    memory: Any
    mean: Any

    @property
    def vectors(self) -> int:
        """Vectors in a block: several, so that one can go on while another waits for its divisions."""
        return 4

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.y)

    @property
    def room(self) -> int:
        """Numbers of scratch that a step needs for each lane."""
        return 2 * len(self.theta)

    @property
    def forward_room(self) -> int:
        """As `room`, for a forward pass alone."""
        return self.room

    @property
    def partial(self) -> bool:
        """Whether a step of shuffled batches looks only at the samples of its batch."""
        return False


class NetworkProblem(NamedTuple):
    """Dense layers.

    x, y : flat arrays of samples x inputs and samples x outputs; theta : array of which only the length, the
    number of parameters, counts; layers, plan, linear : see `fastneuron.kernels.network`; factors : of the
    layers; layer_rows : 1 where each varying field of the optimizer has a row for each layer, else 0; shape :
    of a small network, see `fastneuron.kernels.small_network`, where theta is a tuple; else empty.
    """

    hidden: Any
    output: Any
    loss: Any
    penalty: Any
    optimizer: Any
    batch: Any
    record: Any
    x: Any
    y: Any
    theta: Any
    memory: Any
    mean: Any
    samples: Any
    layers: Any
    factors: Any
    plan: Any
    linear: Any
    layer_rows: Any
    shape: Any

    @property
    def vectors(self) -> int:
        """Vectors in a block: a step of one has enough to do at a time, and its numbers should stay near."""
        return 4 if self.shape else 1

    @property
    def size(self) -> int:
        """Number of samples."""
        return int(self.samples)

    @property
    def room(self) -> int:
        """Numbers of scratch that a step needs for each lane."""
        return int(self.plan[-1])

    @property
    def forward_room(self) -> int:
        """As `room`, for a forward pass alone."""
        return int(self.plan[SUMS_AT])

    @property
    def partial(self) -> bool:
        """Whether a step of shuffled batches looks only at the samples of its batch."""
        return True


Problem = NeuronProblem | NetworkProblem


@functools.singledispatch
def problem_of(
    model: Any, shared: dict[str, Any], x: Any, y: Any, samples: int, layer_rows: int, shaped: bool
) -> Any:
    """The problem of a model of some kind.

    Parameters
    ----------
    model : Model
    shared : its fields that all kinds of problem have, and the activations by role
    x, y : flat arrays of samples x inputs and samples x outputs, of the dtype of the problem
    samples : their number
    layer_rows : 1 where the optimizer's varying fields have a row for each layer, else 0
    shaped : whether a small model gets a kernel for its shape, which pays where many steps are taken
    """
    raise TypeError(f"no kernel for {type(model).__name__}")


_TRAINING = ("penalty", "optimizer", "batch", "record", "memory")  # what has no part in a summary


def without_training(kind: Any) -> Any:
    """The type of a problem of which only summaries are asked for: one for all ways to train it."""
    kinds = [
        types.Tuple(()) if name in _TRAINING else own
        for name, own in zip(kind.fields, kind.types, strict=True)
    ]
    return types.NamedTuple(kinds, kind.instance_class)


@intrinsic
def bound_to(typingctx: Any, problem: Any, like: Any, fields: Any, at: Any, stride: Any) -> Any:
    """The problem with numbers of the type of `like`: varying field k is fields[k * stride + at]."""
    components = [kind if isinstance(kind, types.BaseNamedTuple) else None for kind in problem]
    kinds = [
        types_of if record is None else bound_type(record, like)
        for types_of, record in zip(problem, components, strict=True)
    ]
    bound = types.NamedTuple(kinds, problem.instance_class)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, _, array, place, step = args
        parts = []
        for i, record in enumerate(components):
            part = builder.extract_value(value, i)
            if record is not None:
                part = bound_value(context, builder, record, part, like, fields, array, place, step)
            parts.append(part)
        return context.make_tuple(builder, bound, parts)

    return bound(problem, like, fields, types.intp, types.intp), codegen


def step(
    problem: Any, like: Any, fields: Any, source: Any, at: Any, target: Any, to: Any,
    memory: Any, first: Any, stride: Any, room: Any, places: Any, lane: Any,
) -> Any:  # fmt: skip
    """One step: parameters are read from `source`, written to `target`; the memory changes in place.

    Parameters
    ----------
    like : a number or vector, of whose type the numbers are
    fields : flat array; varying field k is at fields[k * stride + lane]
    source, target : flat arrays; parameter j is at source[at + j * stride], goes to target[to + j * stride]
    memory : flat array; number s of parameter j is at memory[first + (s * width + j) * stride]
    room : flat array of as many numbers like `like` as the problem says; a network keeps the order of its
        samples there from one step of an epoch to the next, all else does not matter
    places, lane : which samples the step sees, see `fastneuron.kernels.batching`

    Returns
    -------
    the largest error |a - y| of the state stepped from, of the samples that were looked at; the size of the
    update; and, where losses are recorded, the loss of the state stepped from, without the penalty. A NaN may
    be missing from the first two; the next state is NaN then, or, where the slope of a sample outside the
    batch was, the size is
    """
    raise NotImplementedError


def summary(
    problem: Any, like: Any, parameters: Any, at: Any, fields: Any, first: Any, stride: Any,
    middle: Any, room: Any, out: Any, to: Any,
) -> Any:  # fmt: skip
    """The largest error, the loss and the truth table, in two parts of 16 bits, of parameters.

    Parameter j is at parameters[at + j * stride], varying field k at fields[first + k * stride]. Bit i of the
    table is set where output i is `middle` or more; tables are for one output. Output i goes to
    out[i * to], where `out` holds numbers and is not None.
    """
    raise NotImplementedError


def samples_of(problem: Any) -> Any:
    """Number of samples."""
    raise NotImplementedError


def write_output(out: Any, to: Any, value: Any) -> Any:
    """Write an output where it is asked for: where `out` is not None."""
    raise NotImplementedError


@compiled_as(write_output)
def _write_output(out: Any, to: Any, value: Any) -> Any:
    if isinstance(out, types.NoneType):
        return lambda out, to, value: None
    return lambda out, to, value: put(out, to, value)
