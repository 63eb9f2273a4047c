#!/usr/bin/env python3
"""Writes tests/captures/phases/truth.json: what a person who looks at the screen would say each recorded agent is doing.

The source of truth is the recording alone: its screens (drawn by tests/detect/screens.c), its keys, its OSC 7501 reports
and its titles, read with knowledge of what comes later; ganger's detector and its rules are not used. Run it only when
recordings are added, and look at the difference it makes:

    tests/detect/derive_truth.py [NAME...]     prints the intervals of these recordings instead of writing the file
"""
import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDINGS = ROOT / "tests/captures/phases"

WORKING = ("connecting", "thinking", "streaming", "tool")
ANSWERING = ("connecting", "thinking", "streaming")
ASKED = ("connecting", "thinking")
# The agent shows its ordinary spinner and hides from the person that a request is repeated underneath.
SILENT_RETRY = ("connecting", "thinking", "retrying")
SHORTEST = 0.12  # a frame shown for less than this is a step of drawing, not a state
CARRY = 0.6  # a screen being redrawn keeps what it showed


def screens(path):
    """The frames of a recording: one dict an event, with the screen after it."""
    program = Path(tempfile.gettempdir()) / f"ganger-screens-{ROOT.name}"
    source = ROOT / "tests/detect/screens.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", "-I", ROOT / "src", "-I", ROOT, source,
                        ROOT / "build/libterm.a", ROOT / "build/libbase.a", "-lvterm", "-lzstd", "-ljansson", "-lbsd",
                        "-o", program], check=True)
    text = gzip.open(path, "rb").read()
    out = subprocess.run([program], input=text, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def find(pattern, lines):
    """The last line that matches, or None."""
    for line in reversed(lines):
        if re.search(pattern, line):
            return line
    return None


def retry(text, lines):
    limited = re.search(r"429|[Rr]ate limit", " ".join(lines))
    return ("retrying", "limited") if limited else ("retrying",), text


class Claude:
    dialogs = (r"Make auto mode your default|Do you want to (proceed|make|create|use)|Quick safety check|"
               r"Enter to (select|confirm) .* Esc to cancel")
    spinner = r"^[✶✻✽✢·*] \S.*…|^[✶✻✽✢·*] .*retrying in \d+s"

    def classify(self, frame, context):
        lines = [line for line in frame["screen"] if line.strip()]
        bottom = lines[-18:]
        if find(self.dialogs, bottom):
            return ("approval",), "a dialog is drawn"
        spinner = find(self.spinner, lines[-8:])
        if spinner:
            if "retrying in" in spinner:
                return retry("the retry countdown", [spinner])
            if find(r"^\s*Waiting for permission…", bottom):
                return ("approval", "tool", "thinking"), "the spinner waits for permission, the dialog is not drawn yet"
            if "UserPromptSubmit hook" in spinner:
                return ASKED, "the prompt goes through the hooks"
            if context["answered"] and find(r"^\s+⎿  \$ ", bottom):
                return ("tool",), "the allowed command runs"
            if re.search(r"· thinking\)|thinking with", spinner):
                if context["plan"] == "thinking" and not find(r"^● After", bottom):
                    return ("thinking",), "the spinner says thinking"
                return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "spinner"
            if context["plan"] == "stream" and find(r"^● ", bottom) or context["grown"]:
                return ("streaming",), "text grows"
            if "tokens" not in spinner and not find(r"^● |^  ⎿", bottom):
                return ASKED, "spinner, nothing back yet"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "spinner"
        if find(r"Continuing automatically at", bottom):
            return ("limited",), "waits for the limit to reset"
        if find(r"^\s*Waiting for permission…", bottom):
            return ("approval", "tool", "thinking"), "waits for permission, the dialog is not drawn yet"
        if find(r"^\s+(⏸|⏵⏵) .*esc to interrupt", lines[-4:]):
            if context["plan"] == "stream":
                return ("streaming",), "text grows, the footer offers to interrupt"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "the footer offers to interrupt"
        if find(r"^\s+(⏸|⏵⏵) ", lines[-4:]) and find(r"^❯", bottom):
            if context["status"].startswith("blocked") and "kind=auth" in context["status"]:
                return ("idle", "approval"), "prompt box; the agent reports that it needs a login"
            return ("idle",), "prompt box"
        return None, "nothing known"


class Codex:
    def classify(self, frame, context):
        lines = [line for line in frame["screen"] if line.strip()]
        bottom = lines[-18:]
        status = context["status"].split(":")[0]
        if find(r"Would you like to (run|make)|Trust this folder\?", lines) and find(r"^\s*(Press )?enter (to confirm|continue)|"
                                                                              r"Press enter to confirm", lines[-3:]):
            return ("approval",), "a dialog is drawn"
        spinner = find(r"^[•◦] .*\(\d+m? ?\d*s? ?• esc to interrupt", lines)
        if status == "blocked":
            return ("approval",) + WORKING, "reports blocked, the dialog is not drawn yet"
        if spinner and status != "done":
            if re.search(r"[Rr]econnecting", spinner):
                return retry("the reconnect notice", bottom)
            if find(r"^• Running |background term", bottom):
                return ("tool",) if context["answered"] or "background" in spinner else WORKING, "a command runs"
            if spinner[2:].startswith("Working"):
                return (ASKED if context["plan"] != "stream" else ANSWERING), "spinner, nothing back yet"
            if context["plan"] == "thinking" and not find(r"^• After", bottom):
                return ("thinking",), "the spinner shows the reasoning"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "spinner"
        if status == "working" and context["submitted"]:
            if context["plan"] == "thinking" and find(r"^[•◦] Pondering", lines) and not find(r"^• After", bottom):
                return ("thinking",), "the spinner shows the reasoning"
            if context["plan"] == "stream" and context["grown"]:
                return ("streaming",), "text grows"
            return WORKING, "reports working"
        if find(r"You’ve hit your usage limit", bottom):
            return ("limited", "idle"), "the usage limit is reached; prompt box"
        if find(r"^  \S+ (default|medium) · /", lines[-3:]) or find(r"^› ", bottom) and context["submitted"]:
            return ("idle",), "prompt box"
        if find(r"^› ", bottom):
            return ("initializing", "idle", "unknown"), "prompt box, the model is not known yet"
        return None, "nothing known"


class Gemini:
    dialog = r"Allow execution of|Apply this change\?|Do you trust"

    def classify(self, frame, context):
        lines = [line for line in frame["screen"] if line.strip()]
        if find(self.dialog, lines) and find(r"● 1\. ", lines):
            return ("approval",), "a dialog is drawn"
        spinner = find(r"^ ?[⠀-⣿] .*|esc to cancel, \d+", lines[-9:])
        if spinner:
            if find(r"^│ (o|⊶|⊷) +\S", lines) and not find(r"^✦ ", lines[lines.index(find(r"^│ (o|⊶|⊷) +\S", lines)):]):
                return ("tool",) if context["answered"] or context["plan"] == "run" else WORKING, "a tool box is open"
            if context["plan"] == "stream" and (find(r"^✦ ", lines) or context["grown"]):
                return ("streaming",), "text grows"
            if context["plan"] == "error":
                return SILENT_RETRY + (("streaming",) if find(r"^✦ ", lines) else ()), "spinner"
            if not find(r"^✦ ", lines):
                return ASKED, "spinner, nothing back yet"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "spinner"
        if find(r"Type your message|^ [>*!] ", lines[-6:]) and find(r"workspace \(/dir", lines[-4:]):
            return ("idle",), "prompt box"
        return None, "nothing known"


class Qwen:
    def classify(self, frame, context):
        lines = [line.replace("\ufe0e", "") for line in frame["screen"] if line.strip()]
        if find(r"Allow execution of|Apply this change\?|Do you (want|trust)", lines) and find(r"› 1\. ", lines):
            return ("approval",), "a dialog is drawn"
        spinner = find(r"^\s*[⠀-⣿]", lines[-9:])
        if spinner:
            if "Waiting for user confirmation" in spinner:
                return WORKING + ("approval",), "the dialog is answered, the spinner still waits"
            if find(r"^\s*(o|⊶|⊷) +\S", lines):
                return ("tool",) if context["answered"] or context["plan"] == "run" else WORKING, "a tool box is open"
            if context["plan"] == "stream" and (find(r"◆ ", lines) or context["grown"]):
                return ("streaming",), "text grows"
            if context["plan"] == "error":
                return SILENT_RETRY, "spinner"
            if context["plan"] == "thinking" and find(r"∵ Thinking…", lines):
                return ("thinking",), "says thinking"
            if not find(r"◆ ", lines):
                return ASKED, "spinner, nothing back yet"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "spinner"
        if find(r"^[>*!]", lines[-5:]) and find(r"(⏸|➜) |shift \+ tab", lines[-2:]):
            return ("idle",), "prompt box"
        return None, "nothing known"


class Opencode:
    def classify(self, frame, context):
        lines = [line for line in frame["screen"] if line.strip()]
        bottom = lines[-12:]
        if find(r"△ Permission required", lines) and find(r"Allow once", bottom):
            return ("approval",), "a dialog is drawn"
        if find(r"retrying (in \d|attempt)|^\s*[■⬝]{8} .*\[retry", bottom):
            return retry("the retry notice", bottom)
        if find(r"esc (again to )?interrupt", lines[-3:]):
            if find(r"^\s+⠀?[⠀-⣿] Thinking", lines[-16:]) and context["plan"] == "thinking":
                return ("thinking",), "says thinking"
            if context["answered"] and not find(r"finished", lines):
                return ("tool",), "the allowed command runs"
            if context["plan"] == "run" and find(r"^\s+(\$|┃  [⠀-⣿$]) for ", lines) and not find(r"finished", lines):
                return ("tool",), "the command runs"
            if context["plan"] == "stream" and find(r"^\s{5}\S", [x for x in lines if "▣" not in x]):
                return ("streaming",), "text grows"
            if context["plan"] == "error":
                return SILENT_RETRY + ("streaming",), "working bar"
            if not find(r"^     [A-Z$~+⠀-⣿]", [x for x in lines if "▣" not in x]):
                return ASKED, "working bar, nothing back yet"
            return WORKING if context["plan"] in ("tool", "run") else ANSWERING, "working bar"
        if find(r"ctrl\+p commands|ctrl\+p c", lines) and find(r"^\s*┃", lines):
            return ("idle",), "prompt box"
        return None, "nothing known"


class Pi:
    def classify(self, frame, context):
        lines = [line for line in frame["screen"] if line.strip()]
        if find(r"Retrying \(\d+/\d+\) in", lines[-8:]):
            return retry("the retry countdown", lines)
        if find(r"^ [⠀-⣿] Working", lines[-8:]):
            text = [x for x in lines[:-5] if not re.search(r"\[scn|Error|Working", x)]
            if context["plan"] == "stream" and context["grown"]:
                return ("streaming",), "text grows"
            if context["plan"] == "thinking" and find(r"Pondering", text) and not find(r"After thinking", text):
                return ("thinking", "streaming"), "the reasoning grows"
            if context["plan"] == "error":
                return SILENT_RETRY, "spinner"
            return ANSWERING, "spinner"
        if find(r"k \(auto\)", lines[-2:]):
            return ("idle",), "prompt box"
        return None, "nothing known"


AGENTS = {"claude": Claude, "codex": Codex, "gemini": Gemini, "opencode": Opencode, "qwen": Qwen, "pi": Pi}
PLANS = (("stream", r"scn:(slow|long)\]"), ("thinking", r"scn:thinking\]"), ("error", r"scn:(rl|rl-once|err|overload|drop|auth)\]"),
         ("run", r"scn:longbash\]"),
         ("tool", r"scn:(tool|toolesc|write|ask|todo)\]"))


def is_key(event):
    """A key a person pressed: neither the answer to a query nor a movement."""
    return event["kind"] == "i" and (len(event["data"]) == 1 or not event["data"].startswith("\x1b"))


def exit_time(frames):
    """When the first of the keys that end the program was pressed, or the time of the last frame."""
    end = frames[-1]["t"]
    for frame in reversed([f for f in frames if is_key(f)]):
        if frame["data"] != "\x03":
            break
        end = frame["t"]
    return end


def body(screen):
    return "".join(line for line in screen if re.search(r"Streaming|Item|row\d|report", line))


def classify_all(agent, frames):
    """[t, phases, why] of each frame a person saw, and the times of the keys that sent a prompt or answered a dialog."""
    context = {"plan": "", "answered": False, "status": "", "submitted": False, "grown": False}
    classifier, typed, seen, keys, last, before, grown_at = AGENTS[agent](), "", [], [], None, "", None
    for frame in frames:
        if is_key(frame):
            in_dialog = last is not None and last[0] == ("approval",)
            if in_dialog:
                keys.append((frame["t"], "answer"))
                context["answered"] = True
            elif frame["data"] == "\r" and typed:
                keys.append((frame["t"], "prompt"))
                context.update(plan=next((p for p, x in PLANS if re.search(x, typed)), ""), answered=False, submitted=True,
                               grown=False)
                typed, before, grown_at = "", body(frame["screen"]), None
            elif frame["data"] == "\x1b":
                keys.append((frame["t"], "interrupt"))
            elif frame["data"] not in ("\r", "\x03"):
                typed += frame["data"]
            continue
        if frame["kind"] != "o":
            continue
        for report in frame["status"]:
            if report.startswith("state="):
                context["status"] = report[6:]
        if frame["synchronized"]:
            continue
        text = body(frame["screen"])
        if context["submitted"] and len(text) > len(before) + 8:
            context["grown"] = True
        phases, why = classifier.classify(frame, context)
        if phases and set(phases) & set(WORKING) and not context["submitted"] and "approval" not in phases:
            phases, why = ("initializing", "unknown"), "starts"
        if phases is not None or last is None or frame["t"] - last[2] > CARRY:
            last = (phases, why, frame["t"])
        seen.append((frame["t"], last[0] or ("initializing", "unknown"), last[1]))
    return seen, keys


def intervals(agent, frames):
    """The truth of one recording: intervals without gaps."""
    end = exit_time(frames)
    seen, keys = classify_all(agent, frames)
    first = next(f["t"] for f in frames if f["kind"] == "o")
    runs = [[first, ("initializing", "unknown"), "nothing drawn yet"]]
    for t, phases, why in seen:
        if t < end and phases != runs[-1][1]:
            runs.append([t, phases, why])
    runs = [[t, runs[i + 1][0] if i + 1 < len(runs) else end, phases, why] for i, (t, phases, why) in enumerate(runs)]
    return around_keys(without_steps(runs), keys)


def without_steps(runs):
    """Joins what was shown for a moment only with what came before; a moment of work between prompts stays one."""
    steady = [run for i, run in enumerate(runs) if not (0 < i < len(runs) - 1 and run[2] == ("idle",) and
                                                        run[1] - run[0] < SHORTEST and runs[i - 1][2] != ("idle",) and
                                                        set(runs[i - 1][2] + runs[i + 1][2]) & set(WORKING))]
    runs = [[run[0], steady[i + 1][0] if i + 1 < len(steady) else run[1], *run[2:]] for i, run in enumerate(steady)]
    merged = []
    for i, run in enumerate(runs):
        short = run[1] - run[0] < SHORTEST and run[2] != ("approval",)
        after = runs[i + 1] if i + 1 < len(runs) else run
        if short and merged and merged[-1][2] == ("idle",) and after[2] != ("idle",):
            merged.append([run[0], run[1], tuple(dict.fromkeys(run[2] + after[2])), run[3]])
        elif short and merged and merged[-1][2] == ("idle",) and set(run[2]) & set(WORKING):
            merged.append([run[0], run[1], ("idle",) + run[2], run[3] + " (a moment)"])
        elif short and merged:
            merged[-1][1] = run[1]
        elif merged and merged[-1][2] == run[2]:
            merged[-1][1] = run[1]
        elif run[1] > run[0]:
            merged.append(list(run))
    return merged


def around_keys(runs, keys):
    """From a key that sends a prompt, answers or interrupts until the screen shows what it did, both are right."""
    for t, what in keys:
        for i, run in enumerate(runs):
            if not run[0] <= t < run[1] or i + 1 == len(runs) or runs[i + 1][0] - t > 6 or run[2] == runs[i + 1][2]:
                continue
            if what == "answer" and run[2] != ("approval",) or what == "prompt" and run[2] != ("idle",) or \
               what == "interrupt" and runs[i + 1][2] != ("idle",):
                continue
            if what == "answer" and any(t < other < run[1] for other, kind in keys if kind == "answer"):
                continue  # another dialog follows at once
            working = set(runs[i + 1][2]) & set(WORKING) or what == "prompt"
            added = () if not working else WORKING if what == "answer" else ASKED
            both = tuple(dict.fromkeys(run[2] + runs[i + 1][2] + added))
            text = {"answer": "answered", "prompt": "prompt sent", "interrupt": "interrupted"}[what]
            runs[i:i + 1] = [[run[0], t, run[2], run[3]], [t, run[1], both, f"{text}, not shown on the screen yet"]]
            break
    return [run for run in runs if run[1] > run[0]]


def derive(path):
    agent = path.name.split("-")[0]
    return [{"from": round(a, 3), "to": round(b, 3), "phases": list(phases), "why": why}
            for a, b, phases, why in intervals(agent, screens(path))]


def main():
    names = sys.argv[1:]
    truth = {}
    for path in sorted(RECORDINGS.glob("*.cast.gz")):
        name = path.name[:-len(".cast.gz")]
        if not names or any(re.fullmatch(n, name) for n in names):
            truth[name] = derive(path)
    if names:
        for name, rows in truth.items():
            print(name)
            for row in rows:
                print(f"  {row['from']:8.3f} {row['to']:8.3f}  {' '.join(row['phases']):45s} {row['why']}")
        return
    rows = [f" {json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows) + "\n ]"
            for name, rows in truth.items()]
    (RECORDINGS / "truth.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
