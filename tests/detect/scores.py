#!/usr/bin/env python3
"""Prints how often phase detection is right about the recordings in tests/captures/phases.

    scores.py                       the table of docs/phases.md
    scores.py --write               writes it there
    scores.py --details NAME...     every wrong stretch, late approval and short phase; NAME may end in *; also [--source S]
    scores.py --worst [--source S]  the recordings with a score below 99%, worst first
"""
import argparse
import fnmatch
import sys

import timeline

START, END = "<!-- scores: tests/detect/scores.py -->", "<!-- end of scores -->"


def percent(value):
    return f"{100 * value:.2f}%"


def milliseconds(delay):
    return "-" if delay is None else "missed" if delay == float("inf") else f"{1000 * delay:.0f} ms"


def table():
    """The lines of the table."""
    sources = list(timeline.SOURCES)
    lines = [f"| agent | variant | recordings | seconds | {' | '.join(sources)} | slowest approval |",
             "| --- | --- | --: | --: |" + " --: |" * (len(sources) + 1)]
    for (agent, variant), names in timeline.groups().items():
        scores = [percent(timeline.score([timeline.result(name, source) for name in names])) for source in sources]
        results = [timeline.result(name) for name in names]
        delays = [r.worst_delay() for r in results if r.delays]
        lines.append(f"| {agent} | {variant} | {len(names)} | {sum(r.total for r in results):.0f} | {' | '.join(scores)} | "
                     f"{milliseconds(max(delays, default=None))} |")
    return lines


def write_table():
    """Puts the table between its two marks in docs/phases.md."""
    path = timeline.ROOT / "docs/phases.md"
    before, rest = path.read_text().split(START, 1)
    after = rest.split(END, 1)[1]
    path.write_text("\n".join([before + START, *table(), END + after]))


def print_details(name, source):
    result = timeline.result(name, source)
    print(f"{name} ({source}): {percent(result.score)} of {result.total:.1f} s")
    for a, b, phase, wanted, why in result.wrong:
        print(f"  {a:8.3f} {b:8.3f}  {phase}, should be {' or '.join(wanted)}: {why}")
    for t, delay in result.delays:
        if delay is None or delay > timeline.LATE_APPROVAL:
            print(f"  {t:8.3f}           approval after {milliseconds(float('inf') if delay is None else delay)}")
    for t, phase, seconds in result.short:
        print(f"  {t:8.3f}           {phase} for {1000 * seconds:.0f} ms only")


def print_timeline(name, source):
    changes = timeline.detected(name, timeline.SOURCES[source])
    print("  detected: " + "  ".join(f"{t:.3f} {phase}" for t, phase in changes))
    print("  truth:    " + "  ".join(f"{row['from']:.3f} {'/'.join(row['phases'])}" for row in timeline.truth()[name]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--details", nargs="+", metavar="NAME")
    parser.add_argument("--worst", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--source", choices=timeline.SOURCES, default="all")
    arguments = parser.parse_args()
    names = sorted(timeline.truth())
    if arguments.details:
        wanted = [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in arguments.details)]
        if not wanted:
            sys.exit("no recording of this name")
        for name in wanted:
            print_details(name, arguments.source)
            print_timeline(name, arguments.source)
    elif arguments.worst:
        results = sorted((timeline.result(name, arguments.source) for name in names), key=lambda r: r.score)
        for result in results:
            if result.score < 0.99 or result.short or any(d is None or d > timeline.LATE_APPROVAL for _, d in result.delays):
                print_details(result.name, arguments.source)
    elif arguments.write:
        write_table()
    else:
        print("\n".join(table()))


if __name__ == "__main__":
    main()
