"""The table of outcomes: all that is said of one is said there, so that a new one is forgotten nowhere."""

import ast
from pathlib import Path

import pytest

import fastneuron as fn
from fastneuron.fingerprint import PACKAGE
from fastneuron.kernels import judge
from fastneuron.outcomes import Outcome, flags
from fastneuron.plot.palette import COLORS
from fastneuron.plot.stacked import ORDER
from fastneuron.plot.steps_histogram import ENDED, OUT_OF_STEPS

PAGE = Path(__file__).parent.parent / "docs" / "outcomes.md"
# which ones a rule is about, and a picture shows by default, is no list of all
MOST_NAMED = 2


def test_every_outcome_has_a_row_of_its_own():
    assert [int(member) for member in Outcome] == list(range(len(Outcome)))
    for column in ("sentence", "color", "stacked", "drawn"):
        assert len({getattr(member, column) for member in Outcome}) == len(Outcome), column
    for column in ("stacked", "drawn"):
        assert {getattr(member, column) for member in Outcome} == set(range(len(Outcome)))


def test_kernels_flags_and_pictures_take_it_from_there():
    assert all(getattr(judge, member.name) == int(member) for member in Outcome)
    assert flags()["flag_values"] == list(range(len(Outcome)))
    assert flags()["flag_meanings"].split() == [member.name for member in Outcome]
    assert set(COLORS) == set(ORDER) == {*ENDED, *OUT_OF_STEPS} == set(Outcome)


@pytest.mark.parametrize("member", Outcome, ids=lambda member: member.name)
def test_it_is_defined_on_its_page(member):
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {member.word} |"))
    assert row.split("|")[2].strip() == str(int(member))


def test_no_other_file_lists_the_outcomes():
    for path in PACKAGE.rglob("*.py"):
        if path.name == "outcomes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
                entries = node.keys if isinstance(node, ast.Dict) else node.elts
                named = [entry for entry in entries if entry is not None and "Outcome." in ast.unparse(entry)]
                assert len(named) <= MOST_NAMED or path.name == "judge.py", f"{path}: {ast.unparse(node)}"


def test_a_code_or_a_name_is_a_member():
    assert fn.Outcome(3) is fn.Outcome("cycling") is fn.Outcome.CYCLING
    assert fn.Outcome.CYCLING.word == "cycling" and fn.Outcome.CYCLING == 3
    with pytest.raises(ValueError, match="did you mean 'settled'"):
        fn.Outcome("setled")
