import pytest

from harness import Ganger, PROGRAM, Tmux


def pytest_collection_modifyitems(items):
    if not PROGRAM.exists():
        for item in items:
            if "/e2e/" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=f"{PROGRAM} is not built"))


@pytest.fixture
def ganger():
    """A ganger of the test's own. Afterwards every session is killed, and no process may be left over."""
    it = Ganger()
    yield it
    left = it.end()
    assert not left, f"processes left over: {left}"


@pytest.fixture
def terminal(ganger):
    """Makes terminals: terminal() for each."""
    made = []

    def make():
        made.append(Tmux(ganger.root, ganger.env))
        return made[-1]
    yield make
    for one in made:
        one.end()


@pytest.fixture
def dashboard(ganger, terminal):
    """dashboard(arguments…, cols=, rows=…): a terminal in which ganger runs."""
    def start(*arguments, **options):
        return terminal().start(PROGRAM, *arguments, cwd=str(ganger.work), **options)
    return start
