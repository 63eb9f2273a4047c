"""The torture of tests/torture, for a few seconds."""
import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "torture" / "torture.py"


def torture(*arguments):
    made = subprocess.run(["/usr/bin/python3", SCRIPT, "--pause", "0.15", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=180)
    assert made.returncode == 0, made.stdout + made.stderr
    return json.loads(made.stdout)


def test_killed_at_random():
    done = torture("--sessions", "8", "--seconds", "4", "--part", "300000")
    assert done["hosts killed"] > 8 and done["lines"] > 10000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
def test_on_a_disk_that_fills():
    done = torture("--sessions", "4", "--seconds", "6", "--disk", "20", "--part", "300000")
    assert done["times the disk was full"] > 0
