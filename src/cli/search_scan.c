#include "cli/search_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/recording.h"
#include "store/recording_parts.h"
#include "store/recording_text.h"

#define RECENT 32   /* hits that a further one may be the same as */
#define GROWN_MIN 8 /* bytes of a line that a longer one may continue */

struct scanning {
    const struct search_scan *scan;
    double seconds; /* of the event that is read */
    int64_t started_ms;
    bool skip_line, last_line;
    struct search_hit recent[RECENT]; /* a ring; older ones were told */
    size_t first, count;
};

/* ---- hits ---- */

/* Without what turns at its beginning: spinners, bullets. */
static const char *without_ornament(const char *text, size_t *length)
{
    size_t at = 0;

    while (at < *length &&
           (text[at] == ' ' || ((unsigned char)text[at] >= 0x80 && (unsigned char)text[at] < 0xE3)))
        at++;
    if (at == *length)
        return text;
    *length -= at;
    return text + at;
}

/* The same line, or the same with more behind it. */
static bool same(const struct search_hit *hit, const char *text, size_t length)
{
    size_t held_length = hit->length;
    const char *held = without_ornament(hit->text, &held_length);

    return (length == held_length || (length > held_length && held_length >= GROWN_MIN)) &&
           memcmp(text, held, held_length) == 0;
}

static void tell_first(struct scanning *scanning)
{
    struct search_hit *hit = &scanning->recent[scanning->first];

    scanning->scan->hit(scanning->scan->argument, hit);
    free(hit->text);
    scanning->first = (scanning->first + 1) % RECENT;
    scanning->count--;
}

static void add(struct scanning *scanning, const char *text, size_t length)
{
    size_t compared_length = length;
    const char *compared = without_ornament(text, &compared_length);
    struct search_hit *hit;

    for (size_t i = scanning->count; i > 0; i--) {
        hit = &scanning->recent[(scanning->first + i - 1) % RECENT];
        if (!same(hit, compared, compared_length))
            continue;
        hit->times++;
        if (length > hit->length) {
            free(hit->text);
            hit->text = xstrndup(text, length);
            hit->length = length;
        }
        return;
    }
    if (scanning->count == RECENT)
        tell_first(scanning);
    hit = &scanning->recent[(scanning->first + scanning->count++) % RECENT];
    *hit = (struct search_hit){.seconds = scanning->seconds, .times = 1, .length = length};
    hit->text = xstrndup(text, length);
    if (scanning->started_ms > 0)
        hit->time_ms = scanning->started_ms + (int64_t)(scanning->seconds * 1000);
}

static int on_line(void *argument, const char *text, size_t length)
{
    struct scanning *scanning = argument;
    const struct search_scan *scan = scanning->scan;
    bool left_out = scanning->skip_line;

    scanning->skip_line = false;
    if (!left_out && search_pattern_matches(scan->pattern, text, length) &&
        (scan->since_ms == 0 || scanning->started_ms == 0 ||
         scanning->started_ms + (int64_t)(scanning->seconds * 1000) >= scan->since_ms))
        add(scanning, text, length);
    return scanning->last_line;
}

/* ---- reading ---- */

/* Feeds a part. 1 when it has ended early, 0, -1. */
static int read_part(struct scanning *scanning, struct recording_text *text, struct recording_reader *reader,
                     struct error *error)
{
    const struct search_scan *scan = scanning->scan;
    struct recording_event event;
    int got;

    scanning->started_ms = recording_reader_started_s(reader) * 1000;
    while ((got = recording_reader_next(reader, &event, error)) == 1 && !atomic_load(scan->stop)) {
        scanning->seconds = event.seconds;
        if (event.type == 'o' && recording_text_feed(text, event.text, event.length, on_line, scanning) != 0)
            return 1;
        if (event.type == 'm' && !scanning->last_line && strncmp(event.text, "gap: ", 5) == 0)
            scan->gap(scan->argument, event.text);
    }
    return got;
}

/* The line that is open when the part ends. */
static void read_next(struct scanning *scanning, struct recording_text *text)
{
    const struct search_scan *scan = scanning->scan;
    struct error ignored;
    struct recording_reader *reader =
        scan->next == 0 ? NULL
                        : recording_reader_part(scan->session_dir, scan->attempt, scan->next, &ignored);

    scanning->last_line = true;
    if (reader == NULL || read_part(scanning, text, reader, &ignored) != 1)
        (void)recording_text_end(text, on_line, scanning);
    recording_reader_destroy(reader);
}

int search_scan_run(const struct search_scan *scan, struct error *error)
{
    struct scanning scanning = {.scan = scan, .skip_line = scan->previous > 0};
    struct recording_reader *reader =
        recording_reader_part(scan->session_dir, scan->attempt, scan->part, error);
    struct recording_text text;
    int got;

    if (reader == NULL)
        return error->code == ENOENT ? 0 : -1;
    recording_text_init(&text);
    got = read_part(&scanning, &text, reader, error);
    recording_reader_destroy(reader);
    if (got == 0)
        read_next(&scanning, &text);
    while (scanning.count > 0)
        tell_first(&scanning);
    recording_text_finish(&text);
    return got < 0 ? -1 : 0;
}
