"""Models: one kind a file; `Model` says what each must give."""

from collections.abc import Mapping
from typing import Any

from fastneuron.components import shown
from fastneuron.models.model import Model as Model
from fastneuron.models.model import pieces_of as pieces_of
from fastneuron.models.network import SCALES as SCALES
from fastneuron.models.network import Layer as Layer
from fastneuron.models.network import Network as Network
from fastneuron.models.neuron import Neuron as Neuron

KINDS: tuple[type[Model], ...] = (Network, Neuron)


def kind_of(settings: Mapping[str, Any]) -> type[Model]:
    """The kind of model that a table of settings describes: a neuron unless it says more."""
    return next((kind for kind in KINDS if kind.key in settings), Neuron)


def check_model(model: object, example: str = "Neuron() or Network((2, 2, 1))") -> None:
    """Refuse what is no model.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(model, Model):
        raise ValueError(f"model must be a model such as {example}, got {shown(model)}")


def neuron_in(model: Model) -> Neuron:
    """The neuron that a picture is of.

    Raises
    ------
    ValueError
        If it is another model.
    """
    if not isinstance(model, Neuron):
        raise ValueError("this picture is of a neuron, the sweep trains a network")
    return model


def network_in(model: object, example: str = "Network((784, 30, 10))") -> Network:
    """The network that something is asked of.

    Raises
    ------
    ValueError
        If it is another model, or none.
    """
    if not isinstance(model, Network):
        raise ValueError(f"model must be a network such as {example}, got {shown(model)}")
    return model
