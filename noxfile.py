"""What there is to run, by name: ``nox -l`` lists it, ``nox`` does what a change needs before it is proposed.

Everything runs in the environment that nox is installed in (``pip install -e '.[dev,docs]'``).
"""

import nox

nox.options.sessions = ["lint", "fast"]
nox.options.default_venv_backend = "none"

WORKERS = ("-n", "auto", "--dist", "worksteal")
# tests that compile little, and draw little
FAST = [
    "arrays",
    "axes",
    "captions",
    "components",
    "docs_check",
    "docstrings",
    "fingerprint",
    "gate",
    "imports",
    "ink",
    "measures",
    "models",
    "network_errors",
    "network_oracle",
    "oracle",
    "outcome_table",
    "quantile",
    "rehearsal",
    "selection",
    "sweep",
    "tasks",
    "tiles",
    "training",
    "trainability_oracle",
]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff and mypy."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def fast(session: nox.Session) -> None:
    """The tests that compile little: under a minute."""
    session.run("pytest", "-q", *WORKERS, *(f"tests/test_{name}.py" for name in FAST), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments behind -- go to pytest."""
    session.run("pytest", "-q", *WORKERS, *session.posargs)


@nox.session
def doctests(session: nox.Session) -> None:
    """The examples in docstrings."""
    session.run("pytest", "-q", "-n", "0", "--doctest-modules", "fastneuron", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, gallery included, in docs/_build/html; its links and images are checked."""
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "docs/check.py", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, in their quick mode, which checks ratios."""
    quick = ("--benchmark-disable-gc", "--benchmark-max-time=0.2", "--benchmark-min-rounds=3")
    session.run("pytest", "-q", "-n", "0", "bench", *quick, *session.posargs)


@nox.session
def gate(session: nox.Session) -> None:
    """All of it, in a fresh copy and a fresh environment."""
    session.run(".ci/run", external=True)
