"""Collects the tests written in C beside those in Python.

A file tests/unit/LAYER/test_x.c, tests/term/x.c, tests/driver/x.c, tests/tui/x.c is one program in build-san/ of the same
path. Each TEST(name) in it is an item; the program runs once and its TAP lines are dealt out to the items. A program
without TEST is one item that passes when the program exits with 0. A fuzzer, tests/fuzz/x.c, is one item: it is run with
its share of GANGER_FUZZ_SECONDS and passes when it exits with 0.
"""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-san"
C_FOLDERS = ("unit", "term", "driver", "tui", "fuzz")
TEST_NAME = re.compile(r"^TEST\((\w+)\)", re.MULTILINE)
TAP_LINE = re.compile(r"^(not )?ok \d+ - (\w+)$")
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

# With GANGER_TEST_ALL only: opencode takes ten times as long as the others, and each of these is tried with another agent, or with
# opencode elsewhere.
LONG = [
    "test_agent_hooks.py::test_gemini_reports_when_its_user_says_so",
    "test_limits_live.py::test_the_agent_tries_again_by_itself[opencode-stream-quota2]",
    "test_live.py::test_events[opencode]",
    "test_side_channels.py::test_opencode_tells_when_it_retries_and_why_it_failed",
    "test_stream.py::TestRealAgents::test_a_retry_goes_on_with_the_conversation[opencode]",
    "test_stream.py::TestRealAgents::test_a_tool_is_asked_for_before_a_host_dies_and_answered_after[approve-opencode]",
    "test_stream.py::TestRealAgents::test_a_turn_is_interrupted[opencode]",
    "test_usage.py::test_answers_of_a_session_are_its_usage[opencode]",
]


def pytest_collection_modifyitems(config, items):
    if os.environ.get("GANGER_TEST_ALL"):
        return
    long = [item for item in items if any(item.nodeid.partition("@")[0].endswith(name) for name in LONG)]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_collect_file(file_path, parent):
    if file_path.suffix != ".c":
        return None
    parts = file_path.relative_to(ROOT).parts
    if len(parts) < 3 or parts[0] != "tests" or parts[1] not in C_FOLDERS or not re.search(r"^int main\(|^TEST_MAIN",
                                                                                             file_path.read_text(), re.MULTILINE):
        return None
    return (Fuzzer if parts[1] == "fuzz" else Program).from_parent(parent, path=file_path)


class Failed(Exception):
    """Carries what a test in C printed."""


class Program(pytest.File):
    def collect(self):
        self.result = None
        names = TEST_NAME.findall(self.path.read_text())
        for name in names or ["main"]:
            yield CTest.from_parent(self, name=name, tap=bool(names))
        if names:
            yield CTest.from_parent(self, name="exits_with_0", tap=False)

    def run(self):
        """The exit code, the output, and the TAP lines with the diagnostics before each, from one run."""
        if self.result is None:
            program = BUILD / self.path.relative_to(ROOT).with_suffix("")
            process = subprocess.run([program], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, timeout=110, env={**os.environ, **SANITIZERS})
            output = process.stdout.decode(errors="replace")
            lines, before = {}, []
            for line in output.splitlines():
                match = TAP_LINE.match(line)
                if match:
                    lines[match[2]] = (match[1] is None, "\n".join(before))
                    before = []
                else:
                    before.append(line)
            self.result = process.returncode, output, lines
        return self.result


class CTest(pytest.Item):
    def __init__(self, *, tap, **keywords):
        super().__init__(**keywords)
        self.tap = tap
        self.add_marker(pytest.mark.xdist_group(self.path.stem))

    def runtest(self):
        code, output, lines = self.parent.run()
        if not self.tap:
            if code != 0 and not any(not ok for ok, _ in lines.values()):
                raise Failed(f"exit code {code}\n{output[-8000:]}")
            return
        ok, text = lines.get(self.name, (False, f"the program ended (code {code}) before this test\n{output[-8000:]}"))
        if not ok:
            raise Failed(text)

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, self.name


class Fuzzer(pytest.File):
    def collect(self):
        yield FuzzRun.from_parent(self, name="fuzz")


class FuzzRun(CTest):
    def __init__(self, **keywords):
        super().__init__(tap=False, **keywords)
        fuzzers = len([f for f in self.path.parent.glob("*.c") if "int main(" in f.read_text()])
        self.seconds = max(1, int(os.environ.get("GANGER_FUZZ_SECONDS", "20")) // fuzzers)
        self.add_marker(pytest.mark.timeout(self.seconds + 120))

    def runtest(self):
        program = BUILD / self.path.relative_to(ROOT).with_suffix("")
        process = subprocess.run([program, str(self.seconds)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=self.seconds + 110, env={**os.environ, **SANITIZERS})
        if process.returncode != 0:
            raise Failed(f"exit code {process.returncode}\n{process.stdout.decode(errors='replace')[-8000:]}")
