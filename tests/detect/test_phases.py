"""Phase detection over recordings of the real agents, scored against the truth beside them."""
import gzip
import json

import pytest

import timeline

TRUTH = timeline.truth()
AGENTS = tuple(dict.fromkeys(agent for agent, _ in timeline.groups()))
WANTED = 0.98

# What is left without a source, by agent; each just below what was measured, so that a loss is noticed.
FLOORS = {
    "without 7501": {"claude": 0.97, "codex": 0.97, "gemini": 0.97, "opencode": 0.97, "qwen": 0.97, "pi": 0.97},
    "screen only": {"claude": 0.97, "codex": 0.97, "gemini": 0.97, "opencode": 0.97, "qwen": 0.97, "pi": 0.97},
}


def per_agent():
    """One parameter for each agent; its tests share a worker, so that each recording is replayed once."""
    return [pytest.param(agent, id=agent, marks=pytest.mark.xdist_group(agent)) for agent in AGENTS]


def per_variant():
    return [pytest.param(agent, variant, id=f"{agent}-{variant}", marks=pytest.mark.xdist_group(agent))
            for agent, variant in timeline.groups()]


def results(agent, variant=None, source="all"):
    return [timeline.result(name, source) for (of, kind), names in timeline.groups().items() for name in names
            if of == agent and variant in (None, kind)]


def stretches(pieces):
    return "\n".join(f"{name}: {a:.3f} to {b:.3f} {phase}, should be {' or '.join(wanted)} ({why})"
                     for name, (a, b, phase, wanted, why) in pieces)


def test_every_recording_has_its_truth():
    names = {path.name[:-len(".cast.gz")] for path in timeline.RECORDINGS.glob("*.cast.gz")}
    assert names == set(TRUTH)


@pytest.mark.parametrize("agent", per_agent())
def test_truth_is_whole(agent):
    for name in (name for name in TRUTH if timeline.agent_of(name) == agent):
        rows = TRUTH[name]
        with gzip.open(timeline.RECORDINGS / f"{name}.cast.gz", "rt") as lines:
            next(lines)
            events = [json.loads(line) for line in lines if line.strip()]
        first = next(t for t, kind, _ in events if kind == "o")
        assert rows[0]["from"] == pytest.approx(first, abs=0.001), name
        assert rows[-1]["to"] <= events[-1][0] + 0.001, name
        for row, following in zip(rows, rows[1:] + [None]):
            assert row["from"] < row["to"], (name, row)
            assert following is None or row["to"] == following["from"], (name, row)
            assert row["phases"] and set(row["phases"]) <= set(timeline.PHASES), (name, row)


ROWS = [{"from": 0.0, "to": 1.0, "phases": ["idle"], "why": ""}, {"from": 1.0, "to": 3.0, "phases": ["thinking"], "why": ""},
        {"from": 3.0, "to": 5.0, "phases": ["approval"], "why": ""}, {"from": 5.0, "to": 6.0, "phases": ["idle"], "why": ""}]


@pytest.mark.parametrize("changes, right, delay, short", [
    ([(0, "idle"), (1, "thinking"), (3, "approval"), (5, "idle")], 6.0, 0.0, 0),
    ([(0, "idle"), (1.3, "thinking"), (3.2, "approval"), (5.3, "idle")], 6.0, 0.2, 0),
    ([(0, "idle"), (1.5, "thinking"), (3.4, "approval"), (5.5, "idle")], 5.55, 0.4, 0),
    ([(0, "idle"), (1, "thinking"), (2, "idle"), (2.1, "thinking"), (5, "idle")], 4.15, None, 1),
    ([(0, "idle")], 2.45, None, 0),
], ids=["exact", "within the tolerance", "late", "flaps and misses the dialog", "idle for ever"])
def test_measure(changes, right, delay, short):
    """The measure itself: what is right, late and short in timelines made for it."""
    result = timeline.Result("made", changes, ROWS)
    assert result.right == pytest.approx(right, abs=0.001)
    assert result.delays == [(3.0, pytest.approx(delay) if delay is not None else None)]
    assert len(result.short) == short


@pytest.mark.parametrize("agent, variant", per_variant())
def test_score(agent, variant):
    scored = results(agent, variant)
    wrong = [(r.name, piece) for r in scored for piece in r.wrong]
    assert timeline.score(scored) >= WANTED, stretches(wrong)


@pytest.mark.parametrize("agent", per_agent())
def test_approvals_are_seen_at_once(agent):
    late = [(r.name, t, delay) for r in results(agent) for t, delay in r.delays
            if delay is None or delay > timeline.LATE_APPROVAL]
    assert not late


@pytest.mark.parametrize("agent", per_agent())
def test_phases_are_steady(agent):
    short = [(r.name, t, phase, f"{1000 * seconds:.0f} ms") for r in results(agent) for t, phase, seconds in r.short]
    assert not short


@pytest.mark.parametrize("agent", per_agent())
def test_never_idle_while_working(agent):
    pieces = [(r.name, piece) for r in results(agent)
              for piece in r.idle_while("connecting", "thinking", "streaming", "tool", "retrying")]
    assert not pieces, stretches(pieces)


@pytest.mark.parametrize("agent", per_agent())
def test_never_idle_on_a_pending_approval(agent):
    pieces = [(r.name, piece) for r in results(agent) for piece in r.idle_while("approval")]
    assert not pieces, stretches(pieces)


@pytest.mark.parametrize("agent", per_agent())
@pytest.mark.parametrize("source", FLOORS)
def test_score_with_less_evidence(agent, source):
    assert timeline.score(results(agent, source=source)) >= FLOORS[source][agent]
