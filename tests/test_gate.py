"""The judgement of the performance gate, on figures made by hand; nothing is timed."""

import importlib.util
import json
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "bench" / "gate.py"
RATIOS = [1.98, 2.0, 2.02, 2.04, 2.3]


@pytest.fixture(scope="module")
def gate():
    spec = importlib.util.spec_from_file_location("gate", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def measured(gate):
    """A function: a run in which every ratio is `factor` times the baseline's."""

    def of(factor=1.0, family="zen", **factors):
        cases = {
            name: gate.summary([[1.0, factors.get(name, factor) * ratio, 1.0] for ratio in RATIOS])
            for name in ("fast", "whole")
        }
        return {"cpu": "a processor", "family": family, "versions": {"numpy": "2.4"}, "cases": cases}

    return of


@pytest.fixture
def baseline(gate, measured):
    return gate.recorded({}, [measured()])


def verdicts(comparison):
    return {row.case: row.verdict for row in comparison.rows}


def test_summary_is_the_ratio_of_the_fastest_and_the_quartiles_of_the_rounds(gate):
    rounds = [[1.0, 4.0, 1.0], [2.0, 2.0, 2.0], [0.5, 3.0, 1.5], [1.0, 2.0, 1.0], [1.0, 100.0, 1.0]]
    summary = gate.summary(rounds)
    assert (summary["low"], summary["median"], summary["high"]) == (1.5, 3.0, 52.0)
    assert summary["ratio"] == 2.0 / 0.5
    assert summary["rounds"] == rounds


def test_kernel_a_seventh_slower_is_a_loss(gate, measured, baseline):
    comparison = gate.compare(measured(fast=1.15), baseline)
    assert verdicts(comparison) == {"fast": "slower", "whole": "same"}
    assert comparison.lost == ["fast"]


@pytest.mark.parametrize("factor", [0.95, 1.0, 1.05])
def test_noise_is_no_loss(gate, measured, baseline, factor):
    assert verdicts(gate.compare(measured(factor), baseline)) == {"fast": "same", "whole": "same"}


def test_slow_rounds_are_no_loss_beside_one_that_is_not(gate, measured, baseline):
    run = measured()
    run["cases"]["fast"] = gate.summary([[1.5, 9.0, 1.5], [1.0, 9.0, 2.0], [1.2, 1.98, 1.3]])
    assert gate.compare(run, baseline).lost == []


def test_case_may_have_a_threshold_of_its_own(gate, measured, baseline):
    run = measured(1.15)
    run["cases"]["fast"]["threshold"] = 0.25
    assert gate.compare(run, baseline).lost == ["whole"]


def test_gain_is_said(gate, measured, baseline):
    assert verdicts(gate.compare(measured(whole=0.8), baseline)) == {"fast": "same", "whole": "faster"}


def test_unknown_family_is_compared_with_another_and_a_wider_threshold(gate, measured, baseline):
    comparison = gate.compare(measured(1.3, family="lake"), baseline)
    assert comparison.lost == []
    assert comparison.notes[0].startswith("No baseline for lake: compared with that of zen")
    assert gate.compare(measured(1.7, family="lake"), baseline).lost == ["fast", "whole"]


def test_own_family_goes_before_another(gate, measured, baseline):
    both = gate.recorded(baseline, [measured(2.0, family="lake")])
    assert gate.compare(measured(2.0, family="lake"), both).lost == []
    assert gate.compare(measured(2.0, family="zen"), both).lost == ["fast", "whole"]


def test_empty_baseline_is_refused(gate, measured):
    with pytest.raises(ValueError, match="record a run first"):
        gate.compare(measured(), {})


def test_new_and_missing_cases_and_versions_are_said(gate, measured, baseline):
    run = measured()
    run["cases"]["new one"] = run["cases"].pop("fast")
    run["versions"] = {"numpy": "2.5"}
    comparison = gate.compare(run, baseline)
    assert verdicts(comparison) == {"whole": "same", "new one": "new"}
    notes = " ".join(comparison.notes)
    assert "numpy 2.4 to 2.5" in notes and "Not measured: fast." in notes


def test_table_is_markdown(gate, measured, baseline):
    lines = gate.table(gate.compare(measured(fast=1.2), baseline)).splitlines()
    assert lines[0].split("|")[1].strip() == "case"
    assert set(lines[1]) == set("|-:")
    assert {line.count("|") for line in lines[:4]} == {7}
    assert lines[2] == "| fast | 1.980 | 2.376 | +20.0% | slower | 2.424 (2.388 to 2.604) |"
    assert len(lines) == 4
    noted = gate.table(gate.compare(measured(family="lake"), baseline)).splitlines()
    assert noted[4] == "" and noted[5].startswith("No baseline for lake")


def test_record_holds_medians_over_runs_and_keeps_other_families(gate, measured, baseline):
    runs = [measured(factor, family="lake") for factor in (1.0, 1.1, 9.0)]
    both = gate.recorded(baseline, runs)
    assert both["zen"] == baseline["zen"]
    assert both["lake"]["cases"]["fast"]["ratio"] == 2.178
    assert "rounds" not in both["lake"]["cases"]["fast"]
    with pytest.raises(ValueError, match="one processor family, got lake, zen"):
        gate.recorded({}, [measured(), measured(family="lake")])


def test_command_line_records_and_exits_1_on_a_loss_only(gate, measured, tmp_path, capsys):
    def command(name, run):
        path = tmp_path / "run.json"
        path.write_text(json.dumps(run))
        return gate.main([name, str(path), "--baseline", str(tmp_path / "baseline.json")])

    assert command("record", measured()) == 0
    assert list(json.loads((tmp_path / "baseline.json").read_text())) == ["zen"]
    assert command("compare", measured(1.04)) == 0
    assert command("compare", measured(1.15)) == 1
    assert "| fast | 1.980 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("factors", "lost", "asked"),
    [
        ([1.0], [], [None]),
        ([1.2, 1.0], [], [None, ["fast"]]),
        ([1.2, 1.2, 1.0], [], [None, ["fast"], ["fast"]]),
        ([1.2, 1.2, 1.2], ["fast"], [None, ["fast"], ["fast"]]),
    ],
)
def test_check_measures_again_only_what_looks_lost(
    gate, measured, baseline, monkeypatch, factors, lost, asked
):
    left, names_asked = iter(factors), []

    def run(rounds, names=None):
        names_asked.append(names)
        result = measured(fast=next(left))
        return result | {"cases": {n: c for n, c in result["cases"].items() if names is None or n in names}}

    monkeypatch.setattr(gate, "run", run)
    comparison = gate.check(5, baseline)
    assert (comparison.lost, names_asked) == (lost, asked)
    assert len(comparison.rows) == 2


def test_recorded_baseline_has_every_case(gate):
    for entry in gate.read(gate.BASELINE).values():
        assert set(entry["cases"]) == set(gate.cases())
        assert all(0 < case["low"] <= case["median"] <= case["high"] for case in entry["cases"].values())
