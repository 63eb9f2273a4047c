"""The style, by tools: each is one test. `make lint` runs these alone."""
import concurrent.futures
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted([*ROOT.glob("src/**/*.c"), *ROOT.glob("tui/*.c")])
HEADERS = sorted([*ROOT.glob("src/**/*.h"), *ROOT.glob("tui/*.h")])
TESTS = sorted([*ROOT.glob("tests/**/*.c"), *ROOT.glob("tests/**/*.h")])
FILE_LINES = 600
FUNCTION_LINES = 60


def make_variable(name):
    """A variable of the Makefile, as make expands it."""
    rule = f"print-it:\n\t@echo $({name})\n"
    made = subprocess.run(["make", "-s", "-f", "Makefile", "-f", "-", "print-it"], input=rule, cwd=ROOT, text=True,
                          capture_output=True, check=True, env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    return made.stdout.split()


def flags():
    return [f.replace("'", "") for f in make_variable("CPPFLAGS")]


def tool(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed (make deps FOR=lint)")
    return name


def run_all(commands):
    """Runs commands, two at a time; fails with the output of those that failed."""
    def one(command):
        made = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return None if made.returncode == 0 else made.stdout[-6000:]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = [text for text in pool.map(one, commands) if text is not None]
    assert not wrong, "\n" + "\n".join(wrong)


def batches(files, size=16):
    """Compilers read several files quicker than one at a time."""
    names = [str(file) for file in files]
    return [names[at:at + size] for at in range(0, len(names), size)]


def test_includes_follow_the_layers():
    run_all([["awk", "-f", "tests/lint/check_includes.awk", "tests/lint/layers.mk", *map(str, relative(SOURCES + HEADERS))]])


def test_the_include_check_sees_a_violation(tmp_path):
    (tmp_path / "src/term").mkdir(parents=True)
    (tmp_path / "src/term/bad.c").write_text('#include "host/host.h"\n#include <curses.h>\n#include "grid.h"\n')
    made = subprocess.run(["awk", "-f", ROOT / "tests/lint/check_includes.awk", ROOT / "tests/lint/layers.mk", "src/term/bad.c"],
                          cwd=tmp_path, text=True, capture_output=True)
    assert made.returncode == 1
    assert len(made.stdout.splitlines()) == 3, made.stdout


def test_each_header_compiles_alone():
    compiler = os.environ.get("CC", "cc")
    run_all([[compiler, "-std=c11", *flags(), "-Wall", "-Wextra", "-Werror", "-Wno-unused", "-fsyntax-only", "-x", "c", *headers]
             for headers in batches(relative(HEADERS))])


def test_clang_warns_about_nothing_in_tests():
    """In the sources that is a part of test_clang_tidy."""
    warnings = make_variable("WARNINGS")
    run_all([[tool("clang"), "-std=c11", *flags(), "-Itests/unit", *warnings, "-Werror", "-fsyntax-only", *sources]
             for sources in batches(relative([t for t in TESTS if t.suffix == ".c"]))])


def test_clang_format():
    run_all([[tool("clang-format"), "--dry-run", "--Werror", *map(str, relative(SOURCES + HEADERS + TESTS))]])


def test_cppcheck():
    run_all([[tool("cppcheck"), "--quiet", "--std=c11", "--error-exitcode=1", "--inline-suppr", "--max-configs=1",
              "--enable=warning,portability", "--suppress=missingIncludeSystem",
              # wrong about the loops of <bsd/sys/queue.h>, and about optind
              "--suppress=uninitvar", "--suppress=oppositeInnerCondition", "-D_GNU_SOURCE", "-Isrc", "-I.",
              "-DGANGER_VERSION=\"x\"", "-j2", "src", "tui"]])


def test_clang_tidy():
    checks = "-*,clang-diagnostic-*,bugprone-infinite-loop,bugprone-sizeof-container,bugprone-suspicious-memset-usage,bugprone-suspicious-string-compare," \
             "bugprone-posix-return,bugprone-macro-repeated-side-effects,bugprone-string-*,bugprone-too-small-loop-variable," \
             "bugprone-unused-return-value,android-cloexec-*,readability-misleading-indentation,misc-redundant-expression"
    run_all([[tool("clang-tidy"), "--quiet", f"--checks={checks}", "--warnings-as-errors=*", *sources, "--", "-std=c11", *flags(),
              *make_variable("WARNINGS")]
             for sources in batches(relative(SOURCES))])


def test_shellcheck():
    scripts = [".ci/run", ".ci/deps", *map(str, relative(ROOT.glob("tests/**/*.sh")))]
    run_all([[tool("shellcheck"), *scripts]])


def test_manuals():
    manuals = [*map(str, relative(ROOT.glob("docs/*.[157]")))]
    if manuals:
        run_all([[tool("mandoc"), "-T", "lint", "-W", "warning", *manuals]])


def test_no_banned_functions():
    banned = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok|alloca|tmpnam|mktemp)\s*\(")
    wrong = [f"{path}:{number}: {line.strip()}" for path in relative(SOURCES)
             for number, line in enumerate((ROOT / path).read_text().splitlines(), 1) if banned.search(line)]
    assert not wrong, "\n" + "\n".join(wrong)


def functions(text):
    """Name and length in lines of each function: from the line of its name to the closing brace in column 0."""
    name, start = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"^[a-zA-Z_][\w\s\*]*?\b(\w+)\(", line)
        if match and not line.rstrip().endswith(";"):
            name, start = match[1], number
        if line.startswith("}") and name:
            yield name, number - start + 1
            name = None


def test_files_and_functions_have_a_size_to_read():
    wrong = []
    for path in relative(SOURCES):
        text = (ROOT / path).read_text()
        if text.count("\n") > FILE_LINES:
            wrong.append(f"{path}: {text.count(chr(10))} lines, above {FILE_LINES}: split it")
        wrong += [f"{path}: {name} has {length} lines, above {FUNCTION_LINES}" for name, length in functions(text) if length > FUNCTION_LINES]
    assert not wrong, "\n" + "\n".join(wrong)


def relative(paths):
    return [Path(p).relative_to(ROOT) for p in paths]
