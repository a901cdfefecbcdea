"""Docstrings of all that is public: numpydoc's checks, and what numpydoc does not look at.

Public is what `fastneuron.__all__` and `fastneuron.store` name, what the modules among these offer, and
`fastneuron.sphinx`; the classes of what functions give back; methods and properties of classes; and the
modules that define all that.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from itertools import chain
from types import FunctionType, ModuleType
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString, Parameter, get_doc_object
from numpydoc.validate import ERROR_MSGS, Validator, validate

import fastneuron
import fastneuron.sphinx
import fastneuron.store

# Not asked for: an extended summary (ES01), which would be padding below "Number of samples."; and See Also
# (SA01), for the relatives of a component are its registry, which docs/components.md lists. Where there is a
# See Also, its form is checked. Examples (EX01) are asked of functions, and of classes for their methods.
CHECKS = set(ERROR_MSGS) - {"ES01", "SA01", "EX01"}
SIGNATURE = {"PR01", "PR02", "PR03"}


class WithoutExceptions(Validator):
    """Finds no source line, so no comment there can switch a check off; nor does every module have a line."""

    source_file_name = None
    source_file_def_line = None

    def __init__(self, obj_name: str) -> None:
        super().__init__(get_doc_object(self._load_obj(obj_name)))


def public_in(module: ModuleType) -> Iterator[Any]:
    """The functions, classes and modules that a module offers: its ``__all__``, else what it defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        own = [name for name, value in vars(module).items() if home_of(value) == module.__name__]
        names = [name for name in own if not name.startswith("_")]
    for name in names:
        value = getattr(module, name)
        if isinstance(value, FunctionType | type | ModuleType):
            yield value
        else:
            assert isinstance(value, str), f"{module.__name__}.{name} has no docstring to look at"
        if isinstance(value, ModuleType):
            yield from public_in(value)


def returned_by(value: Any) -> Iterator[type]:
    """The class that a function gives back, where that is one of the package."""
    if isinstance(value, FunctionType):
        given = value.__globals__.get(value.__annotations__.get("return"))
        if isinstance(given, type) and home_of(given).startswith("fastneuron"):
            yield given


def home_of(value: Any) -> str:
    """The module that defines a value."""
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))


def members_of(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties, by the place of their docstring: one that overrides may inherit it."""
    ours = [base for base in cls.__mro__ if home_of(base).startswith("fastneuron")]
    for name in sorted({name for base in ours for name in vars(base) if not name.startswith("_")}):
        homes = [base for base in ours if name in vars(base)]
        if function_of(vars(homes[0])[name]) is not None:
            home = next((base for base in homes if vars(base)[name].__doc__), homes[0])
            yield f"{home.__module__}.{home.__qualname__}.{name}", vars(home)[name]


def function_of(value: Any) -> FunctionType | None:
    """A function, or the one behind a method or a property; None for what has none, as a field."""
    for behind in ("__func__", "fget", "func"):
        value = getattr(value, behind, value)
    return value if isinstance(value, FunctionType) else None


def all_public() -> dict[str, Any]:
    """Everything public by its place."""
    found: dict[str, Any] = {}
    modules = (fastneuron, fastneuron.store, fastneuron.sphinx)
    named = [value for module in modules for value in (module, *public_in(module))]
    for value in chain(named, *map(returned_by, named)):
        found[home_of(value)] = sys.modules[home_of(value)]
        if not isinstance(value, ModuleType):
            found[f"{value.__module__}.{value.__qualname__}"] = value
        if isinstance(value, type):
            found |= members_of(value)
    return found


PUBLIC = all_public()
everywhere = pytest.mark.parametrize("place", sorted(PUBLIC))


def described(place: str) -> NumpyDocString:
    return NumpyDocString(inspect.getdoc(PUBLIC[place]) or "")


def functions_at(place: str) -> list[FunctionType]:
    """The function at a place, or those written to make an instance of the class there."""
    value = PUBLIC[place]
    if isinstance(value, type):
        makers = [vars(value)[name] for name in ("__init__", "__post_init__") if name in vars(value)]
        return [maker for maker in makers if inspect.getsourcefile(maker) == inspect.getsourcefile(value)]
    function = function_of(value)
    return [] if function is None else [function]


def is_made_here(cls: type) -> bool:
    """Whether the package says what a class is called with; not so for an enum, or a directive of Sphinx."""
    return home_of(next(base for base in cls.__mro__ if "__init__" in vars(base))).startswith("fastneuron")


def test_what_is_looked_at() -> None:
    for place in (
        "fastneuron.activations",
        "fastneuron.activations.Activation.value",
        "fastneuron.activations.Sigmoid",
        "fastneuron.axes.Linspace.values",
        "fastneuron.elementary.exp",
        "fastneuron.figures.ReadyFigure.toml",
        "fastneuron.outcomes.Outcome.word",
        "fastneuron.plot.picture.Picture.save",
        "fastneuron.plot.steps_map.steps",
        "fastneuron.sphinx.FastneuronDirective.run",
        "fastneuron.store.opening.open",
        "fastneuron.sweep.Sweep.run",
        "fastneuron.tasks.gate",
    ):
        assert place in PUBLIC
    assert "fastneuron.activations.Sigmoid.value" not in PUBLIC  # which has the docstring of Activation.value
    assert "fastneuron.kernels" not in PUBLIC


@everywhere
def test_numpydoc_finds_nothing_wrong(place: str) -> None:
    value = PUBLIC[place]
    checks = set(CHECKS)
    if isinstance(value, type) or (isinstance(value, FunctionType) and "." not in value.__qualname__):
        checks.add("EX01")
    if isinstance(value, type) and not is_made_here(value):
        checks -= SIGNATURE
    errors = validate(place, WithoutExceptions)["errors"]
    found = [f"{code} {text}" for code, text in errors if code in checks]
    assert not found, "\n".join(found)


@everywhere
def test_what_is_given_back_is_described(place: str) -> None:
    if inspect.isfunction(PUBLIC[place]) or isinstance(PUBLIC[place], classmethod):
        given = functions_at(place)[0].__annotations__.get("return", "None")
        doc = described(place)
        assert bool(doc["Returns"] or doc["Yields"]) == (given != "None")


def raised_by(function: FunctionType) -> set[str]:
    """The classes of exceptions that a function raises itself and does not catch."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers]
    caught = {node for each in tries for statement in each.body for node in ast.walk(statement)}
    raises = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node not in caught]
    names = {ast.unparse(error.func).rpartition(".")[2] for error in raises if isinstance(error, ast.Call)}
    return {name for name in names if name[0].isupper()}


@everywhere
def test_what_is_raised_is_described(place: str) -> None:
    raised = set().union(*map(raised_by, functions_at(place)))
    if getattr(PUBLIC[place], "bounds", None):
        raised.add("ValueError")  # a component checks its fields
    assert raised <= {kind.type for kind in described(place)["Raises"]}


def numbers_and_arrays(place: str) -> list[Parameter]:
    doc = described(place)
    return [*doc["Parameters"], *doc["Other Parameters"], *doc["Returns"], *doc["Yields"]]


@everywhere
def test_an_array_has_a_shape(place: str) -> None:
    shapeless = [
        f"{entry.name} : {entry.type}"
        for entry in numbers_and_arrays(place)
        if re.search(r"\barray\b|ndarray", entry.type) and "shape" not in f"{entry.type} {entry.desc}"
    ]
    assert not shapeless


@everywhere
def test_a_number_that_is_given_has_a_range(place: str) -> None:
    bare = [
        f"{entry.name} : {entry.type}"
        for entry in described(place)["Parameters"]
        if re.fullmatch(r"(int|float)( or None)?", entry.type.removesuffix(", optional"))
    ]
    assert not bare


@everywhere
def test_a_source_that_is_named_is_among_the_references(place: str) -> None:
    doc = described(place)
    text = "\n".join([*doc["Summary"], *doc["Extended Summary"], *doc["Notes"]])
    text += "\n".join(line for entry in numbers_and_arrays(place) for line in entry.desc)
    references = "\n".join(doc["References"])
    for name, year in re.findall(r"([A-Z][\w-]+)(?: et al\.|),? \(?((?:19|20)\d\d)\b", text):
        assert name in references and year in references, f"{name} {year}"


def unmet_names(examples: str) -> set[str]:
    """What examples name and nothing before it in them imports or makes."""
    known, unmet = set(dir(builtins)), set()
    for example in doctest.DocTestParser().get_examples(examples):
        nodes = list(ast.walk(ast.parse(example.source)))
        imported = [
            alias.asname or alias.name
            for node in nodes
            for alias in getattr(node, "names", [])
            if isinstance(alias, ast.alias)
        ]
        defined = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        arguments = [node.arg for node in nodes if isinstance(node, ast.arg)]
        names = [node for node in nodes if isinstance(node, ast.Name)]
        known |= {*imported, *defined, *arguments}
        known |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
        unmet |= {node.id for node in names} - known
    return unmet


@everywhere
def test_an_example_runs_where_it_is_pasted(place: str) -> None:
    assert not unmet_names("\n".join(described(place)["Examples"]))
