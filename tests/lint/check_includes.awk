# Checks which layer includes which against tests/lint/layers.mk.
#   awk -f check_includes.awk layers.mk FILE...
# A layer is the folder: src/term/grid.c is in term, tui/pane.c in tui, src/main.c is main. Prints one line a violation
# and exits 1 when there is any. The engine (src/) includes no curses, one file includes vterm.h, and the keeper uses
# nothing but libc and headers of base.

function layer_of(path,    parts, n) {
    n = split(path, parts, "/")
    if (parts[1] == "tui")
        return "tui"
    return n == 2 ? "main" : parts[2]
}

function violation(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    failed = 1
}

FNR == 1 {
    first++
    layer = first == 1 ? "" : layer_of(FILENAME)
}

first == 1 {
    if (match($0, /^USES_[a-z]+ :=/)) {
        name = substr($1, 6)
        known[name] = 1
        allowed[name, name] = 1
        for (i = 3; i <= NF; i++)
            allowed[name, $i] = 1
    }
    next
}

FNR == 1 && !(layer in known) {
    violation("the folder \"" layer "\" is in no layer of tests/lint/layers.mk")
    nextfile
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    target = quoted[2]
    if (target !~ /\//) {
        violation("include \"" target "\" by its path from src/ (\"layer/name.h\")")
        next
    }
    folder = target
    sub(/\/.*/, "", folder)
    if (folder in known && !((layer, folder) in allowed) && !((layer, target) in allowed))
        violation(layer " may not include " target)
    else if (!(folder in known))
        violation("\"" target "\" is in no layer")
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    split($0, angled, /[<>]/)
    target = angled[2]
    if (layer != "tui" && target ~ /^n?curses|^(term|panel|menu|form)\.h$/)
        violation("only tui/ may include curses")
    if (target == "vterm.h" && vterm != "" && vterm != FILENAME)
        violation("vterm.h is included by " vterm " already: one file sees libvterm")
    if (target == "vterm.h")
        vterm = FILENAME
    if (layer == "keeper" && target ~ /jansson|bsd\/|event|vterm|zstd|sqlite/)
        violation("the keeper uses libc alone")
}

END { exit failed }
