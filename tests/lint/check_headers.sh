#!/bin/sh
# Every header compiles alone. CC and CPPFLAGS come from the Makefile.
failed=0
for header in src/*/*.h tui/*.h; do
    # shellcheck disable=SC2086
    ${CC:-cc} ${CPPFLAGS} -std=c11 -Wall -Wextra -fsyntax-only -x c "$header" || failed=1
done
exit $failed
