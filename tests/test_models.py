"""Kinds of model: what each gives, and that nothing outside their files asks which kind it is."""

import re
from dataclasses import fields

import numpy as np
import pytest

import fastneuron as fn
from fastneuron.fingerprint import PACKAGE
from fastneuron.kernels import block as block  # which imports what makes the problems of all kinds
from fastneuron.kernels.problem import problem_of
from fastneuron.models import KINDS, Model, kind_of, network_in, neuron_in, pieces_of

MADE = [fn.Neuron(), fn.Neuron(3, fn.Tanh()), fn.Network((2, 3, 1)), fn.Network((4, 2), bias=False)]


def test_nothing_asks_for_the_kind_of_a_model_outside_its_files():
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name not in ("models", "kernels"):
            assert not re.search(r"isinstance\([^()]*\b(Neuron|Network)\b", path.read_text()), path


def test_every_kind_has_a_key_roles_and_a_problem():
    assert len({kind.key for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        names = [field.name for field in fields(kind)]
        assert kind.key in names and set(kind.roles) <= set(names)
        assert problem_of.dispatch(kind) is not problem_of.dispatch(object)


@pytest.mark.parametrize("model", MADE, ids=str)
def test_what_a_model_gives_fits_together(model):
    assert isinstance(model, Model) and kind_of(model.settings) is type(model)
    again = type(model)(**model.settings, **model.components)
    assert again == model and again.with_activation(model.roles[-1], fn.Arctan()) != model
    assert model.parameters == tuple(model.shapes)
    ends = [piece.stop for piece in pieces_of(model).values()]
    assert model.size == ends[-1] == sum(int(np.prod(shape)) for shape in model.shapes.values())
    assert [name for name in model.parameters if model.is_bias(name)] == [
        name for name in model.parameters if "bias" in name
    ]


@pytest.mark.parametrize("model", MADE, ids=str)
def test_no_pre_activation_is_beyond_its_bound(model):
    random = np.random.default_rng(0)
    size, x = 3.0, random.uniform(-2, 2, (50, model.inputs))
    identity = {role: fn.Identity() for role in model.roles}
    linear = type(model)(**model.settings, **identity)
    start = {name: random.uniform(-size, size, (200, *shape)) for name, shape in model.shapes.items()}
    largest = np.abs(fn.forward(linear, start, x)).max()
    bound = model.largest_input(np.abs(x).sum(1).max(), size, lambda z: z)
    assert 0 < largest <= bound


def test_a_table_without_a_word_for_a_kind_is_a_neuron():
    assert kind_of({}) is fn.Neuron and kind_of({"sizes": [1, 1]}) is fn.Network


def test_what_needs_one_kind_says_so():
    assert neuron_in(MADE[0]) is MADE[0] and network_in(MADE[2]) is MADE[2]
    with pytest.raises(ValueError, match="of a neuron, the sweep trains a network"):
        neuron_in(MADE[2])
    with pytest.raises(ValueError, match=r"must be a network such as Network\(\(784, 30, 10\)\), got Neuron"):
        network_in(MADE[0])
