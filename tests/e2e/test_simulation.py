"""Many processes with many sessions on few accounts, with the real ledger and retry policy, on a clock of their own.

`build-san/simulate-limits` ends with 1 when a turn too many ran, a prompt was lost or sent twice, an account lay idle though a
session waited, or sessions were released in a herd. The whole week is in docs/limits.md."""
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build-san/simulate-limits"
SECONDS = 120  # much more than it needs alone


def simulate(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return json.loads(done.stdout)


@pytest.mark.timeout(SECONDS + 10)
def test_a_day_of_sessions_at_the_limits_of_two_accounts():
    figures = simulate("--sessions", "48", "--accounts", "2", "--days", "1", "--prompts", "8", "--processes", "6",
                       "--cap", "3", "--clock-steps", "4", "--sleeps", "1")
    assert figures["prompts"]["lost"] == 0
    assert figures["ledger"]["errors"] == 0
    assert figures["idle_while_one_waits_max_s"] <= 36
    # What is tested took place.
    assert figures["counts"]["refused"] > 5
    assert figures["counts"]["released"] > 50
    assert figures["from_reset_to_first_turn"]["resets"] > 1
    for account in figures["accounts"]:
        assert account["turns_at_once_max"] == 3
        assert account["least_s_between_releases"] >= 1
        assert account["probes_at_once_max"] <= 2


@pytest.mark.timeout(SECONDS + 10)
def test_one_account_without_a_cap():
    figures = simulate("--sessions", "24", "--accounts", "1", "--days", "1", "--prompts", "8", "--processes", "4",
                       "--cap", "0", "--clock-steps", "2", "--sleeps", "0")
    assert figures["counts"]["released"] > 5
    assert figures["accounts"][0]["least_s_between_releases"] >= 1
