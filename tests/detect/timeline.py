"""The truth about the recordings in tests/captures/phases, what `ganger replay --detect` says about them, and how far
the two agree."""
import functools
import gzip
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("GANGER_PROGRAM", ROOT / "build/ganger"))
RECORDINGS = ROOT / "tests/captures/phases"

PHASES = ("initializing", "idle", "connecting", "thinking", "streaming", "tool", "approval", "limited", "retrying", "unknown")
SOURCES = {"all": (), "without 7501": ("status", "hook"), "screen only": ("status", "title", "hook")}

LATE = 0.350  # seconds after a true change in which the phase before it is still right: idle is debounced by 300 ms
LATE_APPROVAL = 0.250  # the same after a dialog is drawn
EARLY = 0.100  # seconds before a true change in which the phase after it is right already: a frame is drawn in steps
SHORTEST = 0.150  # no phase may last less


def truth():
    """{name: [{"from", "to", "phases", "why"}]}."""
    return json.loads((RECORDINGS / "truth.json").read_text())


def agent_of(name):
    return name.split("-")[0]


def variant_of(name):
    """psp: the terminal answered OSC 7501; inline: no alternate screen; term: another terminal; plain."""
    for variant in ("inline", "term"):
        if f"-{variant}" in name:
            return variant
    return "psp" if name.endswith("-psp") else "plain"


@functools.lru_cache(maxsize=None)
def detected(name, ignored=()):
    """What the detector says: [(t, phase)], each phase different from the one before."""
    with tempfile.TemporaryDirectory(prefix="ganger-detect-") as folder:
        folders = {f"GANGER_{kind}_DIR": folder for kind in ("RUNTIME", "STATE", "CONFIG")}
        recording = Path(folder) / "recording.cast"
        recording.write_bytes(gzip.decompress((RECORDINGS / f"{name}.cast.gz").read_bytes()))
        arguments = [PROGRAM, "replay", recording, "--detect", "--json"]
        if ignored:
            arguments += ["--ignore", ",".join(ignored)]
        process = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=100,
                                 env={**os.environ, **folders})
    if process.returncode != 0:
        raise RuntimeError(f"replay of {name} ended with {process.returncode}: {process.stderr.decode(errors='replace')[-500:]}")
    changes = []
    for line in process.stdout.splitlines():
        change = json.loads(line)
        if not changes or changes[-1][1] != change["phase"]:
            changes.append((change["t"], change["phase"]))
    return changes


def pieces(name, changes, rows):
    """(from, to, detected phase, truth row) for each stretch of the truth with one detected phase."""
    ends = [t for t, _ in changes[1:]] + [float("inf")]
    spans = [(float("-inf"), changes[0][0] if changes else float("inf"), "initializing")]
    spans += [(t, end, phase) for (t, phase), end in zip(changes, ends)]
    for row in rows:
        for start, end, phase in spans:
            a, b = max(start, row["from"]), min(end, row["to"])
            if a < b:
                yield a, b, phase, row


def right_parts(a, b, phase, rows):
    """The wrong remainder of [a, b): what no row with this phase, widened by the tolerance, covers."""
    wrong = [(a, b)]
    for i, row in enumerate(rows):
        if phase not in row["phases"]:
            continue
        following = rows[i + 1]["phases"] if i + 1 < len(rows) else []
        start, end = row["from"] - EARLY, row["to"] + (LATE_APPROVAL if following == ["approval"] else LATE)
        wrong = [part for x, y in wrong for part in ((x, min(y, start)), (max(x, end), y)) if part[1] - part[0] > 1e-6]
    return wrong


class Result:
    """How far the detector is right about one recording.

    right, total: seconds. wrong: [(from, to, phase, acceptable phases, why)]. delays: [(when a dialog was drawn, seconds
    until approval was reported or None)]. short: [(t, phase, seconds)] that lasted too short a time."""

    def __init__(self, name, changes, rows):
        self.name = name
        self.total = rows[-1]["to"] - rows[0]["from"]
        self.wrong = [(x, y, phase, row["phases"], row["why"]) for a, b, phase, row in pieces(name, changes, rows)
                      for x, y in right_parts(a, b, phase, rows)]
        self.right = self.total - sum(y - x for x, y, *_ in self.wrong)
        self.delays = [(row["from"], approval_delay(changes, row)) for row in rows if row["phases"] == ["approval"]]
        end = rows[-1]["to"]
        self.short = [(t, phase, following - t) for (t, phase), (following, _) in zip(changes, changes[1:])
                      if following - t < SHORTEST - 1e-6 and following <= end]

    @property
    def score(self):
        return self.right / self.total

    def idle_while(self, *phases):
        """Stretches reported as idle in which one of these phases was right and idle was not."""
        return [piece for piece in self.wrong if piece[2] == "idle" and set(piece[3]) & set(phases)]

    def worst_delay(self):
        """Of the dialogs of this recording: None if there is none, infinity if one was missed."""
        return max((float("inf") if delay is None else delay for _, delay in self.delays), default=None)


def approval_delay(changes, row):
    """Seconds from the dialog until approval was reported; None if it never was while the dialog was there."""
    phase = None
    for t, following in changes:
        if t > row["from"]:
            break
        phase = following
    if phase == "approval":
        return 0.0
    return next((t - row["from"] for t, phase in changes if phase == "approval" and row["from"] < t < row["to"]), None)


@functools.lru_cache(maxsize=None)
def result(name, source="all"):
    return Result(name, detected(name, SOURCES[source]), truth()[name])


def score(results):
    """The share of time in a right phase over several recordings."""
    return sum(r.right for r in results) / sum(r.total for r in results)


def groups():
    """{(agent, variant): [names]}, agents in the order of the documentation."""
    order = ("claude", "codex", "gemini", "opencode", "qwen", "pi")
    out = {}
    for name in sorted(truth(), key=lambda name: (order.index(agent_of(name)), variant_of(name), name)):
        out.setdefault((agent_of(name), variant_of(name)), []).append(name)
    return out
