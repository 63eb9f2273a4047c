#include "replay/markers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "term/width.h"

static const char *const names[] = {"marker", "phase",    "prompt", "error",
                                    "limit",  "approval", "gap",    "marker"};

const char *marker_kind_name(enum marker_kind kind)
{
    return names[kind];
}

static enum marker_kind kind_of(const char *label)
{
    for (enum marker_kind kind = MARKER_PHASE; kind < MARKER_OTHER; kind++) {
        size_t length = strlen(names[kind]);
        if (strncmp(label, names[kind], length) == 0 && label[length] == ':')
            return kind;
    }
    return MARKER_OTHER;
}

char *marker_clean(const char *text, size_t length, size_t most)
{
    struct buffer out;

    buffer_init(&out);
    for (size_t at = 0; at < length && out.length + 4 <= most;) {
        uint32_t code = 0;
        int used = utf8_decode(text + at, length - at, &code);
        if (used > 0 && (code == '\t' || code == '\n' || code == '\r'))
            buffer_append_char(&out, ' ');
        else if (used > 0 && width_of(code) >= 0 && !utf8_reorders(code))
            buffer_append(&out, text + at, (size_t)used);
        else
            buffer_append_char(&out, '?');
        at += used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length - at;
    }
    return buffer_steal(&out);
}

void markers_finish(struct markers *markers)
{
    for (size_t i = 0; i < markers->count; i++)
        free(markers->entries[i].label);
    free(markers->entries);
    *markers = (struct markers){0};
}

void markers_add(struct markers *markers, uint64_t event, double seconds, const char *label, size_t length)
{
    struct marker *marker;

    if (markers->count == MARKERS_MAX) {
        markers->left_out++;
        return;
    }
    if (markers->count == markers->capacity) {
        markers->capacity = markers->capacity == 0 ? 64 : markers->capacity * 2;
        markers->entries = xreallocarray(markers->entries, markers->capacity, sizeof *markers->entries);
    }
    marker = &markers->entries[markers->count++];
    marker->event = event;
    marker->seconds = seconds;
    marker->label = marker_clean(label, length, MARKER_LABEL_MAX);
    marker->kind = kind_of(marker->label);
}

/* How many markers are passed. */
static size_t passed(const struct markers *markers, uint64_t event)
{
    size_t low = 0, high = markers->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (markers->entries[middle].event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct marker *markers_passed(const struct markers *markers, uint64_t event)
{
    size_t count = passed(markers, event);

    return count == 0 ? NULL : &markers->entries[count - 1];
}

static bool is(const struct marker *marker, enum marker_kind kind)
{
    return kind == MARKER_ANY || marker->kind == kind;
}

const struct marker *markers_find(const struct markers *markers, enum marker_kind kind, uint64_t event,
                                  double seconds, int direction, double slack)
{
    size_t at = passed(markers, direction < 0 && event > 0 ? event - 1 : event);

    if (direction > 0) {
        while (at < markers->count && !is(&markers->entries[at], kind))
            at++;
        return at == markers->count ? NULL : &markers->entries[at];
    }
    while (at > 0 &&
           (!is(&markers->entries[at - 1], kind) || markers->entries[at - 1].seconds > seconds - slack))
        at--;
    return at == 0 ? NULL : &markers->entries[at - 1];
}
