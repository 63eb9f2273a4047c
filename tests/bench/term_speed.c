/*
 * How fast the emulator is: feeds a file to a 200x50 terminal in writes of 4 KiB, line feeds as CR LF as a PTY makes
 * them, and prints MB/s of the file. Usage: term_speed FILE [COLS ROWS [SCROLLBACK]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/path.h"
#include "term/terminal.h"

static void cook(const char *bytes, size_t length, struct buffer *out)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            buffer_append_char(out, '\r');
        buffer_append_char(out, bytes[i]);
    }
}

int main(int argc, char **argv)
{
    struct terminal_options options = {
        .cols = argc > 3 ? atoi(argv[2]) : 200,
        .rows = argc > 3 ? atoi(argv[3]) : 50,
        .scrollback_lines = argc > 4 ? (size_t)atol(argv[4]) : 10000,
    };
    struct buffer cooked = {0};
    struct error error;
    struct terminal *terminal;
    char *bytes;
    size_t length;
    int64_t start;
    double seconds;

    if (argc < 2 || path_read_file(argv[1], (size_t)1 << 30, &bytes, &length, &error) < 0) {
        fprintf(stderr, "usage: term_speed FILE [COLS ROWS [SCROLLBACK]]\n");
        return 2;
    }
    cook(bytes, length, &cooked);
    terminal = terminal_create(&options);
    start = clock_monotonic_ns();
    for (size_t at = 0; at < cooked.length; at += 4096)
        terminal_write(terminal, cooked.bytes + at, cooked.length - at < 4096 ? cooked.length - at : 4096);
    seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    printf("%.1f MB/s, %zu bytes held", (double)length / 1e6 / seconds, terminal_memory(terminal));
    start = clock_monotonic_ns();
    terminal_compact(terminal);
    printf(", %zu compacted in %.1f ms\n", terminal_memory(terminal),
           (double)(clock_monotonic_ns() - start) / 1e6);
    terminal_destroy(terminal);
    buffer_finish(&cooked);
    free(bytes);
    return 0;
}
