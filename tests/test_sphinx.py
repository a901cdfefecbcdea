"""The Sphinx extension, in real builds of a small project."""

from pathlib import Path

import pytest

from fastneuron import plot, toml

from .forks import Forks

CONF = 'project = "scratch"\nextensions = ["fastneuron.sphinx", "myst_parser"]\nhtml_theme = "basic"\n'
SPEC = """
[task]
name = "inverter"
[optimizer]
name = "gradient_descent"
learning_rate = 3.0
[axes]
weight = { linspace = [-5, 5, 12] }
bias = { linspace = [-5, 5, 10] }
[stop]
max_steps = 50
"""
INDENTED = "".join(f"   {line}\n" for line in SPEC.splitlines())
PAGE = f"""
A page
======

.. toctree::

   sub/other

.. fastneuron:: sub/mine.toml
   :width: 50%
   :set: picture.dpi=60, axes.bias.linspace=[-5, 5, 10],
         stop.max_steps=50

   Caption of the *file*.

.. fastneuron::
   :caption: Caption of the content.
   :format: svg
{INDENTED}
"""
MARKDOWN = """
# Another

```{fastneuron} mine.toml
:name: by-name
:set: picture.dpi=60

In MyST.
```
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "conf.py").write_text(CONF)
    (tmp_path / "index.rst").write_text(PAGE)
    (tmp_path / "sub" / "other.md").write_text(MARKDOWN)
    (tmp_path / "sub" / "mine.toml").write_text(SPEC)
    return tmp_path


@pytest.fixture(scope="module")
def builds():
    from sphinx.application import builtin_extensions

    loaded = [
        *builtin_extensions,
        "dask.array",
        "fastneuron.cli.spec",
        "fastneuron.engine.local",
        "fastneuron.plot",
        "fastneuron.sphinx",
        "matplotlib.backends.backend_svg",
        "myst_parser.parsers.sphinx_",
        "myst_parser.sphinx_ext.main",
        "sphinx.cmd.build",
        "warm",
    ]
    # Python's own cache goes by the second
    with Forks("sphinx.cmd.build:main", loaded, PYTHONDONTWRITEBYTECODE="1") as forks:
        yield forks


@pytest.fixture
def build(builds):
    """Build a project, in a new process."""
    return lambda project, *options: builds.call(project, ["-b", "html", *options, ".", "out"])


def pictures(project: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in project.glob("out/.doctrees/fastneuron/*")}


def test_pages_hold_the_pictures_and_nothing_is_drawn_twice(project, build):
    done = build(project, "-W")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fastneuron: drawing") == 2  # both pages show the same file
    first = pictures(project)
    assert sorted(path.suffix for path in first) == [".png", ".svg"]
    page = (project / "out" / "index.html").read_text()
    other = (project / "out" / "sub" / "other.html").read_text()
    for path in first:
        assert f'src="_images/{path.name}"' in page
        assert (project / "out" / "_images" / path.name).read_bytes() == path.read_bytes()
        assert toml.loads(plot.spec_in(path))["axes"]["weight"] == {"linspace": [-5.0, 5.0, 12]}
    assert "Caption of the <em>file</em>." in page and "Caption of the content." in page
    assert "In MyST." in other and 'id="by-name"' in other and 'src="../_images/outcome-' in other

    done = build(project, "-W", "-E")  # all pages are read anew
    assert done.returncode == 0 and "drawing" not in done.stdout
    assert pictures(project) == first

    (project / "sub" / "mine.toml").write_text(SPEC.replace("3.0", "4.0"))
    done = build(project, "-W")
    assert done.returncode == 0 and done.stdout.count("fastneuron: drawing") == 1, (
        "a page depends on its spec"
    )
    assert len(pictures(project)) == 3


OWN = """
import fastneuron as fn

K = 1.0


@fn.component
class Own(fn.Activation):
    def value(self, z):
        return fn.constant(z, K) * z

    def slope(self, z, a):
        return fn.constant(z, K)
"""


def test_a_page_is_built_again_when_a_table_or_the_code_of_a_component_has_changed(tmp_path, build):
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport own\n{CONF}"
    )
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "table.csv").write_text("0,1\n1,0\n")
    spec = SPEC.replace('name = "inverter"', 'csv = "table.csv"')
    (tmp_path / "mine.toml").write_text(f'{spec}\n[model]\nactivation = "own:Own"\n[picture]\ndpi = 30\n')
    (tmp_path / "index.rst").write_text("A page\n======\n\n.. fastneuron:: mine.toml\n")

    def drawn() -> int:
        done = build(tmp_path, "-W")
        assert done.returncode == 0, done.stderr
        return done.stdout.count("fastneuron: drawing")

    assert [drawn(), drawn()] == [1, 0]
    (tmp_path / "table.csv").write_text("0,1\n1,2\n")
    assert [drawn(), drawn()] == [1, 0]
    (tmp_path / "own.py").write_text(f"# a comment\n{OWN}")
    assert drawn() == 0
    (tmp_path / "own.py").write_text(OWN.replace("K = 1.0", "K = 0.5"))
    assert [drawn(), drawn()] == [1, 0]
    first = plot.spec_in(next(iter(pictures(tmp_path)))).splitlines()[1]
    assert first.startswith('# component_code: {"python": "3.') and '"own:Own": "' in first

    (tmp_path / "conf.py").write_text(CONF)
    done = build(tmp_path, "-E")
    assert (
        "index.rst:4: ERROR: fastneuron: mine.toml: model.activation: activation 'own:Own' is not"
        in done.stderr
    )


WRONG = [
    (".. fastneuron:: nothing\n", "", "4: ERROR: fastneuron: no file nothing, and no ready figure"),
    (".. fastneuron:: mine.toml\n", "a = ", "4: ERROR: fastneuron: mine.toml: not valid TOML: "),
    (
        ".. fastneuron:: mine.toml\n",
        SPEC + "[picture]\nkind='x'",
        "4: ERROR: fastneuron: mine.toml: picture.kind",
    ),
    (
        ".. fastneuron:: mine.toml\n   :set: loss.nam=3\n",
        SPEC,
        "4: ERROR: fastneuron: mine.toml: loss: missing key 'name'",
    ),
    (".. fastneuron::\n", "", "4: ERROR: fastneuron: give a ready figure"),
    (".. fastneuron::\n\n   [task]\n   name='nix'\n", "", "4: ERROR: fastneuron: "),
]


def test_what_is_wrong_is_said_with_file_and_line(tmp_path, build):
    """Each on a page of its own, and each would fail a build that turns warnings into errors."""
    (tmp_path / "conf.py").write_text(CONF)
    names = [f"page{k}" for k in range(len(WRONG))]
    entries = "".join(f"   {name}\n" for name in names)
    (tmp_path / "index.rst").write_text(f"Page\n====\n\n.. toctree::\n\n{entries}")
    for name, (page, spec, _) in zip(names, WRONG, strict=True):
        (tmp_path / f"{name}.rst").write_text("Page\n====\n\n" + page.replace("mine", name))
        (tmp_path / f"{name}.toml").write_text(spec)
    done = build(tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    for name, (_, _, says) in zip(names, WRONG, strict=True):
        assert f"{name}.rst:{says.replace('mine', name)}" in done.stderr
    done = build(tmp_path, "-W", "-E")
    assert done.returncode == 1
    assert f"{len(WRONG)} warnings (with warnings treated as errors)" in done.stdout


def test_a_csv_file_is_sought_from_the_folder_of_its_spec_or_page(project, build):
    (project / "sub" / "table.csv").write_text("0;0.25\n1;1\n")
    spec = SPEC.replace('name = "inverter"', 'csv = "table.csv"').replace("max_steps = 50", "max_steps = 5")
    (project / "sub" / "mine.toml").write_text(spec)
    (project / "index.rst").write_text(
        "A page\n======\n\n.. toctree::\n\n   sub/other\n\n.. fastneuron:: sub/mine.toml\n"
    )
    content = "\n".join(f"   {line}" for line in spec.splitlines())
    (project / "sub" / "other.md").write_text(
        f"# Another\n\n```{{eval-rst}}\n.. fastneuron::\n\n{content}\n```\n"
    )
    done = build(project, "-W")
    assert done.returncode == 0, done.stderr
    (path,) = pictures(project)  # both are the same
    assert toml.loads(plot.spec_in(path))["task"] == {"name": "table", "x": [[0.0], [1.0]], "y": [0.25, 1.0]}
