"""Recording: sums over the losses of the steps, kept along with the states of the lanes.

A row of one number for each lane holds the steps done, one the first loss, one max_steps, and then one each
the sum of a reducer (`fastneuron.reducers`). They are kept for every slot of the history, as a start may have
ended some steps before that is noticed. Where nothing is recorded there are none.
"""

from typing import Any

from fastneuron.elementary import constant, where
from fastneuron.kernels.jit import compiled_as, inner, never_inline, use_full_width
from fastneuron.kernels.memory import put, take
from fastneuron.kernels.records import bind
from fastneuron.kernels.vectors import bits_of, vector_like

STEPS_DONE, FIRST_LOSS, MAX_STEPS, KEPT = range(4)  # the rows before the sums, and how many these are


def loss_of(record: Any, loss: Any, activation: Any, z: Any, a: Any, y: Any) -> Any:
    """The loss of an output where losses are recorded, else 0."""
    raise NotImplementedError


@compiled_as(loss_of)
def _loss_of(record: Any, loss: Any, activation: Any, z: Any, a: Any, y: Any) -> Any:
    if len(record) == 0:
        return lambda record, loss, activation, z, a, y: constant(z, 0.0)
    return lambda record, loss, activation, z, a, y: constant(z, loss.value(activation, z, a, y))


def keep_sums(record: Any, like: Any, loss: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    """Write the rows after a step, of which `loss` is the loss before, from those before it."""
    raise NotImplementedError


@compiled_as(keep_sums)
def _keep_sums(record: Any, like: Any, loss: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    if len(record) == 0:
        return lambda record, like, loss, source, at, target, to, stride: None

    def kept(record: Any, like: Any, loss: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
        t = take(source, at, like)
        first = where(t == constant(like, 0.0), loss, take(source, at + FIRST_LOSS * stride, like))
        steps = take(source, at + MAX_STEPS * stride, like)
        put(target, to, t + constant(like, 1.0))
        put(target, to + FIRST_LOSS * stride, first)
        put(target, to + MAX_STEPS * stride, steps)
        add_terms(record, 0, like, loss, (t, first, steps), source, at, target, to, stride)

    return kept


def add_terms(record: Any, k: Any, like: Any, loss: Any, when: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    """Add the terms of a step to the sums from number k on."""
    raise NotImplementedError


@compiled_as(add_terms)
def _add_terms(record: Any, k: Any, like: Any, loss: Any, when: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
    if len(record) == 0:
        return lambda record, k, like, loss, when, source, at, target, to, stride: None

    def added(record: Any, k: Any, like: Any, loss: Any, when: Any, source: Any, at: Any, target: Any, to: Any, stride: Any) -> Any:  # fmt: skip  # noqa: E501
        t, first, steps = when
        reducer = bind(record[0], like, source, 0, 0)
        counted = constant(like, reducer.counted(loss, first))
        term = constant(like, reducer.term(counted, t, steps))
        row = (KEPT + k) * stride
        total = take(source, at + row, like)
        put(target, to + row, where(t < steps, total + term, total))
        add_terms(record[1:], k + 1, like, loss, when, source, at, target, to, stride)

    return added


@inner
def finish_of(problem, sums, at, stride, losses, place, most):
    """Add steps that are left of a vector of starts, `most` at most, with the losses at `place`."""
    never_inline()
    use_full_width()
    like = vector_like(problem.mean)
    loss = take(losses, place, like)
    for _ in range(most):
        if bits_of(take(sums, at, like) < take(sums, at + MAX_STEPS * stride, like)) == 0:
            return
        keep_sums(problem.record, like, loss, sums, at, sums, at, stride)
