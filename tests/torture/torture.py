#!/usr/bin/python3
"""Sessions that print numbered lines while everything around them is killed at random:

    tests/torture/torture.py [--sessions 20] [--seconds 600] [--disk MB] [--part BYTES] [--seed N]

Hosts, dashboards and clients are killed with SIGKILL. With --disk the state folder is a file system of that many megabytes that
is filled and emptied meanwhile. In the end every line is in the recording exactly once and in order (or in a gap that the
recording tells), in the transcript too, the screen shows the last ones, and no process, descriptor or file is left over.
Prints what was done as JSON; the exit code is 1 when something is wrong.
"""
import argparse
import collections
import fcntl
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from harness import PROGRAM, Ganger, alive, until  # noqa: E402 pylint: disable=wrong-import-position

HERE = Path(__file__).resolve().parent
LINE = b"line %d of the sequence"
READ = re.compile(LINE.replace(b"%d", rb"(\d+)") + b"$")


class Dashboard:
    """The dashboard on a terminal whose screen nobody looks at."""

    def __init__(self, ganger, cols, rows):
        self.terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.process = subprocess.Popen([PROGRAM], stdin=other, stdout=other, stderr=other, env=ganger.env, cwd=ganger.work, start_new_session=True)
        os.close(other)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            while os.read(self.terminal, 65536):
                pass
        except OSError:
            pass

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        os.close(self.terminal)


class Client:
    """A command that follows a session."""

    def __init__(self, ganger, *arguments):
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=ganger.env, cwd=ganger.work)

    def kill(self):
        self.process.kill()
        self.process.wait()


def descriptors(pid, files=False):
    """{what an open descriptor is: how many}; files of the session only with `files`, since they come and go."""
    kinds = collections.Counter()
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            target = os.readlink(f"{folder}/{number}")
        except OSError:
            continue
        if files == ("/sessions/" in target):
            kinds[re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "N", target)] += 1
    return kinds


class Torture:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.ganger = Ganger()
        self.names = [f"crew{number:02d}" for number in range(options.sessions)]
        self.folders = {name: self.ganger.root / "agents" / name for name in self.names}
        self.done = collections.Counter()
        self.wrong = []
        self.told = {}
        self.others = []  # dashboards and clients
        self.mounted = False

    def complain(self, text):
        self.wrong.append(text)
        print(f"wrong: {text}", file=sys.stderr, flush=True)

    # ---- the crew ----
    def begin(self):
        self.ganger.configure(limits={"recording_bytes": self.options.part})
        if self.options.disk:
            self.ganger.state.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.options.disk}m,mode=700", "tmpfs", self.ganger.state], check=True)
            self.mounted = True
        for number, name in enumerate(self.names):
            self.folders[name].mkdir(parents=True)
            self.ganger.start(name, "/usr/bin/python3", HERE / "printer.py", self.folders[name], "full" if number % 4 == 0 else "human")
        self.keepers = {name: self.ganger.keeper_of(name) for name in self.names}
        self.kept = {name: descriptors(pid) for name, pid in self.keepers.items()}
        self.hosts = {name: self.settled(name) for name in self.names}

    def settled(self, name):
        """The descriptors of a host that no client looks at."""
        host = self.ganger.session(name)["host_pid"]
        last = None
        for _ in range(100):
            now = descriptors(host)
            if now == last:
                return now
            last = now
            time.sleep(0.05)
        return last

    # ---- what happens to it ----
    def kill_host(self):
        name = self.random.choice(self.names)
        shown = self.ganger.run("show", name, "--json", code=None)
        pid = json.loads(shown.stdout)["host_pid"] if shown.returncode == 0 else None
        if pid is not None and alive(pid):
            os.kill(pid, signal.SIGKILL)
            self.done["hosts killed"] += 1

    def kill_other(self):
        if self.others:
            other = self.others.pop(self.random.randrange(len(self.others)))
            other.kill()
            self.done["dashboards killed" if isinstance(other, Dashboard) else "clients killed"] += 1

    def look(self):
        if len(self.others) > 6:
            self.kill_other()
        name = self.random.choice(self.names)
        made = self.random.randrange(4)
        if made == 0:
            self.others.append(Dashboard(self.ganger, self.random.choice([40, 80, 200]), self.random.choice([12, 24, 50])))
        elif made == 1:
            self.others.append(Client(self.ganger, "events", "-f", name))
        elif made == 2:
            self.others.append(Client(self.ganger, "logs", "-f", name))
        else:
            self.ganger.run("snapshot", name, code=None)

    def fill(self):
        """Takes what is left of the disk, or gives it back."""
        filler = self.ganger.state / "filler"
        if filler.exists():
            filler.unlink()
            return
        self.done["times the disk was full"] += 1
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65536):
                    pass
            except OSError:
                pass

    def torment(self):
        deadline = time.monotonic() + self.options.seconds
        next_fill = time.monotonic() + 1
        while time.monotonic() < deadline:
            if self.mounted and time.monotonic() > next_fill:
                self.fill()
                next_fill = time.monotonic() + self.random.uniform(1, 3)
            self.random.choice([self.kill_host, self.kill_host, self.look, self.look, self.kill_other])()
            time.sleep(self.random.random() * self.options.pause)
        while self.others:
            self.kill_other()
        (self.ganger.state / "filler").unlink(missing_ok=True)

    # ---- what is left of it ----
    def finish(self):
        for name in self.names:
            until(lambda name=name: self.ganger.run("rpc", name, "session.view", '{"cols": 120, "rows": 40}', code=None).returncode == 0,
                  f"{name} to take a size")
            (self.folders[name] / "stop").touch()
        self.printed = {}
        for name in self.names:
            told = self.folders[name] / "printed"
            until(told.exists, f"{name} to come to its end", 60)
            self.printed[name] = int(told.read_text())
        for name in self.names:
            self.ganger.screen_shows(name, f"end of {self.printed[name]} lines", 60)

    def check_leaks(self):
        for name in self.names:
            if descriptors(self.keepers[name]) != self.kept[name]:
                self.complain(f"{name}: the keeper's descriptors were {self.kept[name]}, are {descriptors(self.keepers[name])}")
            try:
                until(lambda name=name: self.settled(name) == self.hosts[name], "", 20)
            except AssertionError:
                self.complain(f"{name}: a host had {dict(self.hosts[name])}, has {dict(self.settled(name))}")
            host = self.ganger.session(name)["host_pid"]
            try:
                until(lambda host=host: max(descriptors(host, True).values()) <= 2 and "deleted" not in str(descriptors(host, True)), "", 20)
            except AssertionError:
                self.complain(f"{name}: files that are open: {descriptors(host, True)}")
        expected = 3 * len(self.names)
        running = self.ganger.processes()
        if len(running) != expected:
            self.complain(f"{len(running)} processes, {expected} expected: {running}")

    def check_recording(self, name):
        """Every line once and in order; what is missing is what the gaps say."""
        reader = subprocess.Popen([PROGRAM, "logs", name, "--raw"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.ganger.env)
        expected, lost, torn, ended = 1, 0, 0, False
        while True:
            lines = reader.stdout.readlines(1 << 20)
            if not lines:
                break
            whole = b"".join((LINE + b"\r\n") % n for n in range(expected, expected + len(lines)))
            if b"".join(lines) == whole:
                expected += len(lines)
                continue
            for line in lines:
                line = line.rstrip(b"\r\n")
                found = READ.search(line)
                if line == LINE % expected:
                    expected += 1
                elif line == b"end of %d lines" % self.printed[name]:
                    ended = True
                elif found and int(found[1]) > expected and self.mounted:
                    lost += int(found[1]) - expected
                    expected = int(found[1]) + 1
                elif self.mounted and len(self.gaps(name)) * 2 > torn:
                    torn += 1  # a gap begins and ends within lines
                else:
                    self.complain(f"{name}: line {expected} of the recording is {line[:200]!r}")
                    reader.kill()
                    reader.wait()
                    return
        reader.wait()
        self.done["lines"] += self.printed[name]
        self.done["lines in gaps"] += lost
        if expected != self.printed[name] + 1 and not self.mounted:
            self.complain(f"{name}: {expected - 1} lines of {self.printed[name]} are in the recording")
        if not ended and not self.mounted:
            self.complain(f"{name}: the end is missing in the recording")
        if lost > 0 and not self.gaps(name):
            self.complain(f"{name}: {lost} lines are missing and no gap is told")

    def mended(self, name):
        """A disk is well again when it has been for a while; what is missing is told then."""
        try:
            until(lambda: not (self.ganger.session(name)["recording"] or {}).get("paused"), "", 20)
        except AssertionError:
            self.complain(f"{name}: the recording pauses though there is room")

    def gaps(self, name):
        if name not in self.told:
            self.told[name] = self.ganger.run("events", name, "--types", "gap").stdout.splitlines()
        return self.told[name]

    def check_transcript(self, name):
        lines = self.ganger.run("logs", name).stdout.encode().splitlines()
        numbers = [int(found[1]) for line in lines if (found := READ.search(line))]
        if self.mounted:
            # Where the recording has a gap a host that follows another may write a screen of lines once more.
            back = sum(b <= a for a, b in zip(numbers, numbers[1:]))
            if back > self.done["hosts killed"]:
                self.complain(f"{name}: the transcript goes back {back} times")
        elif numbers != list(range(1, self.printed[name] + 1)):
            at = next((i for i, n in enumerate(numbers) if n != i + 1), len(numbers))
            self.complain(f"{name}: the transcript has {len(numbers)} of {self.printed[name]} lines, the first wrong one after {at}")

    def check_screen(self, name):
        last = self.printed[name]
        shown = [line.rstrip() for line in self.ganger.screen(name).splitlines()]
        rows = [line for line in shown if line]
        if rows[-1] != f"end of {last} lines":
            self.complain(f"{name}: the screen ends with {rows[-1]!r}")
        numbers = [int(found[1]) for line in rows if (found := READ.search(line.encode()))]
        if self.mounted:  # a host that follows another has no more than the recording
            if numbers != sorted(set(numbers)):
                self.complain(f"{name}: the screen shows lines {numbers} of {last}")
        elif numbers != list(range(last - len(numbers) + 1, last + 1)) or len(numbers) < min(last, len(shown) - 4):
            self.complain(f"{name}: the screen shows lines {numbers[:1]} to {numbers[-1:]} of {last}")

    def check_files(self):
        for path in self.ganger.state.rglob("*"):
            if path.name.endswith((".tmp", ".new")) or ".tmp-" in path.name:
                self.complain(f"left over: {path}")
        for path in self.ganger.state.rglob("session.json"):
            json.loads(path.read_text())

    def end(self):
        for name in self.names:
            (self.folders[name] / "leave").touch()
        left = self.ganger.end_sessions()
        if left:
            self.complain(f"processes left over: {left}")
        if self.mounted:
            subprocess.run(["umount", self.ganger.state], check=True)
        self.ganger.end()

    def run(self):
        try:
            self.begin()
            self.torment()
            self.finish()
            self.check_leaks()
            for name in self.names:
                self.mended(name)
                self.check_recording(name)
                self.check_transcript(name)
                self.check_screen(name)
            self.check_files()
        finally:
            for other in self.others:
                other.kill()
            self.end()
        print(json.dumps({"seed": self.options.seed, "sessions": len(self.names), "seconds": self.options.seconds, **self.done, "wrong": self.wrong}))
        return 1 if self.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--pause", type=float, default=0.4, help="at most between two things that happen")
    parser.add_argument("--disk", type=int, default=0)
    parser.add_argument("--part", type=int, default=1_000_000, help="bytes of a part of a recording")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return Torture(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
