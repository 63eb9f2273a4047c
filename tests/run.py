"""Runs the tests: `tests/run.py [PATH…] [pytest options]`. The last line printed is `N passed, N failed[, N skipped]`,
which is also kept in build/check-summary."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Count:
    """Counts each test once: a test that fails in two of its stages failed once."""

    def __init__(self):
        self.outcomes = {}
        self.broken = 0

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped:
            self.outcomes.setdefault(report.nodeid, "skipped")
        elif report.when == "call":
            self.outcomes.setdefault(report.nodeid, "passed")

    def pytest_collectreport(self, report):
        if report.failed:
            self.broken += 1

    def line(self, code):
        outcomes = list(self.outcomes.values())
        failed = outcomes.count("failed") + self.broken
        if code != 0 and failed == 0:
            failed = 1  # the run itself broke: nothing collected, an internal error, an interrupt
        skipped = outcomes.count("skipped")
        return f"{outcomes.count('passed')} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), failed


def main():
    arguments = sys.argv[1:]
    if not any(a.startswith("-n") for a in arguments):
        arguments += ["-n", os.environ.get("GANGER_TEST_JOBS", "3"), "--dist", "loadgroup"]
    os.chdir(ROOT)
    count = Count()
    code = int(pytest.main(arguments, plugins=[count]))
    line, failed = count.line(code)
    os.makedirs("build", exist_ok=True)
    with open("build/check-summary", "w") as summary:
        summary.write(line + "\n")
    sys.stderr.flush()
    print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
