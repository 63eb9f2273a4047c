/* How fast recordings are encoded and read, in MB of terminal output a second:
 *     cc -O2 -Isrc tests/bench/recording_speed.c build/libstore.a build/libbase.a -ljansson -lbsd */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/recording.h"

#define SLICE 4096
#define TOTAL (64 * 1024 * 1024)

struct sample {
    const char *name, *line;
};

static const struct sample samples[] = {
    {"plain", "The quick brown fox jumps over the lazy dog and goes on to the end of the line, 80 col\r\n"},
    {"colour",
     "\033[38;2;10;200;30mThe quick\033[0m \033[1;31mbrown\033[m fox \033[48;5;17mjumps\033[49m over\r\n"},
    {"unicode", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich 漢字仮名交じり文 "
                "🙂🙂\r\n"},
};

static double since(int64_t start)
{
    return (double)(clock_monotonic_ns() - start) / 1e9;
}

static void measure(const struct sample *sample)
{
    struct buffer input = {0}, out = {0};
    struct error error = {0};
    struct recording_event event;
    struct recording_reader *reader;
    FILE *file = tmpfile();
    size_t decoded = 0;
    int64_t start;
    double encoding, reading;

    while (input.length < SLICE * 64)
        buffer_append_string(&input, sample->line);
    recording_encode_header(&out, 80, 24, 0, NULL, NULL);
    (void)fwrite(out.bytes, 1, out.length, file);
    start = clock_monotonic_ns();
    for (size_t done = 0; done < TOTAL; done += SLICE) {
        buffer_clear(&out);
        (void)recording_encode_output(&out, (int64_t)done * 1000, input.bytes + done % (SLICE * 63), SLICE,
                                      0);
    }
    encoding = since(start);
    for (size_t done = 0; done < TOTAL; done += SLICE) {
        buffer_clear(&out);
        (void)recording_encode_output(&out, (int64_t)done * 1000, input.bytes + done % (SLICE * 63), SLICE,
                                      0);
        (void)fwrite(out.bytes, 1, out.length, file);
    }
    (void)fflush(file);
    reader = recording_reader_file(dup(fileno(file)), 0, 0, &error);
    start = clock_monotonic_ns();
    while (reader != NULL && recording_reader_next(reader, &event, &error) == 1)
        decoded += event.length;
    reading = since(start);
    recording_reader_destroy(reader);
    printf("%-8s encode %6.0f MB/s   read %6.0f MB/s\n", sample->name, TOTAL / encoding / 1e6,
           (double)decoded / reading / 1e6);
    (void)fclose(file);
    buffer_finish(&input);
    buffer_finish(&out);
}

int main(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        measure(&samples[i]);
    return 0;
}
