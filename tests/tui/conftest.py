"""The dashboard in a terminal, with the tools of the end-to-end tests."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from harness import PROGRAM, Ganger, Tmux  # noqa: E402


@pytest.fixture
def ganger():
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    it = Ganger()
    yield it
    left = it.end()
    assert not left, f"processes left over: {left}"


@pytest.fixture
def dashboard(ganger):
    """dashboard(arguments…, cols=, rows=…): a terminal in which ganger runs."""
    made = []

    def start(*arguments, **options):
        made.append(Tmux(ganger.root, ganger.env))
        return made[-1].start(PROGRAM, *arguments, cwd=str(ganger.work), **options)
    yield start
    for one in made:
        one.end()
