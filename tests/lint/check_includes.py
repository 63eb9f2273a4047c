#!/usr/bin/python3
"""Which layer may include which: the table of docs/architecture.md, checked against every #include."""
import pathlib
import re
import sys

ALL_OF_SRC = {"base", "term", "agent", "policy", "store", "rpc", "runner", "config", "keeper", "host"}
ALLOWED = {
    "base": {"base"},
    "term": {"term", "base"},
    "rpc": {"rpc", "base"},
    "agent": {"agent", "base"},
    "config": {"config", "base"},
    "policy": {"policy", "base", "config", "agent"},
    "store": {"store", "base", "config"},
    "runner": {"runner", "base", "config"},
    "keeper": {"keeper", "base"},
    "host": ALL_OF_SRC - {"keeper"},
    "cli": {"cli", "base", "config", "rpc", "store", "runner"},
    "tui": {"tui", "base", "config", "rpc"},
    "main.c": {"cli", "tui", "base"},
}
# Single headers that a layer may use of another one.
HEADERS = {
    "tui": {"store/session_dir.h", "term/key.h", "term/width.h"},
    "agent": {"term/text.h"},
}
CURSES = re.compile(r"^(n?cursesw?/)?(n?curses|term)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def problems(root):
    files = sorted([*root.glob("src/**/*.[ch]"), *root.glob("tui/*.[ch]")])
    for path in files:
        relative = path.relative_to(root)
        layer = "tui" if relative.parts[0] == "tui" else relative.parts[1]
        for kind, name in INCLUDE.findall(path.read_text()):
            if kind == "<":
                if CURSES.match(name) and layer != "tui":
                    yield f"{relative}: {name}: only tui/ may include curses"
                if name.startswith("vterm") and layer != "term":
                    yield f"{relative}: {name}: only src/term/ may include libvterm"
                continue
            other = name.split("/")[0]
            if other not in ALLOWED[layer] and name not in HEADERS.get(layer, set()):
                yield f"{relative}: {name}: {layer} may not include {other}"
    vterm = [p for p in files if "#include <vterm" in p.read_text()]
    if len(vterm) > 1:
        yield "libvterm is included by more than one file: " + ", ".join(str(p.relative_to(root)) for p in vterm)


def main():
    found = list(problems(pathlib.Path(__file__).resolve().parents[2]))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
