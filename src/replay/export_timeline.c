#include "replay/export_timeline.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "replay/source.h"
#include "store/session_dir.h"

#define BETWEEN_NS INT64_C(1000000000) /* two attempts */
#define SECONDS_MAX 1e9
#define SIZE_MAX_CELLS 1000

struct timeline {
    struct source source;
    unsigned *attempts; /* their numbers; one 0 for a file */
    size_t count, next; /* the attempt that is opened next */
    struct recording_reader *reader;
    uint64_t end;      /* of the attempt that is read; 0: not known */
    uint64_t before;   /* bytes of the attempts before */
    uint64_t position; /* in the one that is read */
    int64_t begin_ns;  /* of the attempt that is read */
    int64_t last_ns;
    bool torn;
    struct timeline_facts facts;
    uint64_t no_events;
    char *name, *agent, *title, *term;
};

/* ---- which attempts ---- */

static int compare_numbers(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return x < y ? -1 : x > y;
}

static void add_attempt(struct timeline *timeline, unsigned number)
{
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->attempts[i] == number)
            return;
    timeline->attempts = xreallocarray(timeline->attempts, timeline->count + 1, sizeof *timeline->attempts);
    timeline->attempts[timeline->count++] = number;
}

/* The attempts of which there is a part, from the names in the folder. Returns 0 or -1. */
static int find_attempts(struct timeline *timeline, struct error *error)
{
    int file = session_dir_open(timeline->source.state_dir, timeline->source.uuid, error);
    DIR *folder = file < 0 ? NULL : fdopendir(file);

    if (folder == NULL) {
        if (file >= 0) {
            error_errno(error, "cannot read the session's folder");
            close(file);
        }
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        unsigned number;
        int at = 0;
        if (sscanf(entry->d_name, "attempt-%6u.%n", &number, &at) == 1 && at > 0 && number > 0 &&
            strstr(entry->d_name + at, "cast") != NULL)
            add_attempt(timeline, number);
    }
    closedir(folder);
    if (timeline->count == 0)
        return error_set(error, "it has no recording");
    qsort(timeline->attempts, timeline->count, sizeof *timeline->attempts, compare_numbers);
    return 0;
}

/* ---- opening ---- */

static void finish_attempt(struct timeline *timeline)
{
    if (timeline->reader == NULL)
        return;
    timeline->torn = timeline->torn || recording_reader_torn(timeline->reader);
    timeline->no_events += recording_reader_left_out(timeline->reader);
    recording_reader_destroy(timeline->reader);
    timeline->reader = NULL;
    timeline->before += timeline->position;
    timeline->position = 0;
}

static int open_attempt(struct timeline *timeline, struct error *error)
{
    timeline->source.attempt = timeline->attempts[timeline->next];
    timeline->reader = source_open(&timeline->source, 0, error);
    if (timeline->reader == NULL)
        return -1;
    /* A session that lives is read to where it is, not for as long as it goes on. */
    timeline->end = timeline->source.file != NULL ? 0 : recording_reader_length(timeline->reader);
    timeline->next++;
    return 0;
}

/* Of a file's header. */
static void take_words(struct timeline *timeline)
{
    const char *title = recording_reader_title(timeline->reader),
               *term = recording_reader_term(timeline->reader);

    if (timeline->source.file == NULL)
        return;
    timeline->title = title == NULL ? NULL : xstrdup(title);
    timeline->term = term == NULL ? NULL : xstrdup(term);
    timeline->facts.foreign = true;
    timeline->facts.title = timeline->title;
    timeline->facts.term = timeline->term;
}

/* What there is to know of all attempts before they are read. Those that cannot be opened are left out, unless none can. */
static int survey(struct timeline *timeline, struct error *error)
{
    size_t kept = 0;

    for (size_t i = 0; i < timeline->count; i++) {
        timeline->next = i;
        if (open_attempt(timeline, error) < 0)
            continue;
        timeline->attempts[kept++] = timeline->attempts[i];
        timeline->facts.length += recording_reader_length(timeline->reader);
        if (kept == 1) {
            timeline->facts.started_s = recording_reader_started_s(timeline->reader);
            recording_reader_size(timeline->reader, &timeline->facts.cols, &timeline->facts.rows);
            take_words(timeline);
        }
        recording_reader_destroy(timeline->reader);
        timeline->reader = NULL;
    }
    timeline->facts.attempts = (unsigned)kept;
    timeline->facts.left_out = (unsigned)(timeline->count - kept);
    timeline->count = kept;
    timeline->next = 0;
    return kept == 0 ? -1 : 0;
}

static void read_session(struct timeline *timeline)
{
    json_t *session = session_dir_read(timeline->source.state_dir, timeline->source.uuid, NULL);

    timeline->name = xstrdup(json_member_string(session, "name", timeline->source.uuid));
    timeline->agent = xstrdup(json_member_string(session, "agent", ""));
    json_decref(session);
    timeline->facts.name = timeline->name;
    timeline->facts.agent = *timeline->agent == '\0' ? NULL : timeline->agent;
}

struct timeline *timeline_session(const char *state_dir, const char *uuid, unsigned attempt,
                                  struct error *error)
{
    struct timeline *timeline = xcalloc(1, sizeof *timeline);
    int result = 0;

    source_init_session(&timeline->source, state_dir, uuid, attempt);
    if (attempt != 0)
        add_attempt(timeline, attempt);
    else
        result = find_attempts(timeline, error);
    if (result < 0 || survey(timeline, error) < 0) {
        timeline_destroy(timeline);
        return NULL;
    }
    read_session(timeline);
    return timeline;
}

struct timeline *timeline_file(const char *path, struct error *error)
{
    struct timeline *timeline = xcalloc(1, sizeof *timeline);
    const char *slash = strrchr(path, '/');

    if (source_init_file(&timeline->source, path, error) < 0) {
        timeline_destroy(timeline);
        return NULL;
    }
    add_attempt(timeline, 0);
    timeline->name = xstrdup(slash == NULL ? path : slash + 1);
    timeline->facts.name = timeline->name;
    if (survey(timeline, error) < 0) {
        timeline_destroy(timeline);
        return NULL;
    }
    return timeline;
}

void timeline_destroy(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    recording_reader_destroy(timeline->reader);
    source_finish(&timeline->source);
    free(timeline->attempts);
    free(timeline->name);
    free(timeline->agent);
    free(timeline->title);
    free(timeline->term);
    free(timeline);
}

const struct timeline_facts *timeline_facts(const struct timeline *timeline)
{
    return &timeline->facts;
}

uint64_t timeline_read(const struct timeline *timeline)
{
    return timeline->before + timeline->position;
}

uint64_t timeline_no_events(const struct timeline *timeline)
{
    return timeline->no_events;
}

bool timeline_torn(const struct timeline *timeline)
{
    return timeline->torn;
}

/* ---- reading ---- */

static int begin_attempt(struct timeline *timeline, struct timeline_event *event, struct error *error)
{
    if (open_attempt(timeline, error) < 0)
        return -1;
    if (timeline->next > 1)
        timeline->last_ns += BETWEEN_NS;
    timeline->begin_ns = timeline->last_ns;
    *event = (struct timeline_event){.at_ns = timeline->begin_ns, .type = 'a', .text = ""};
    event->attempt = timeline->source.attempt;
    recording_reader_size(timeline->reader, &event->cols, &event->rows);
    return 1;
}

/* Of the line: never before what was read last, whatever the file says. */
static int64_t time_of(struct timeline *timeline, double seconds)
{
    double clamped = isfinite(seconds) ? fmin(fmax(seconds, 0), SECONDS_MAX) : 0;
    int64_t at = timeline->begin_ns + (int64_t)llround(clamped * 1e9);

    if (at > timeline->last_ns)
        timeline->last_ns = at;
    return timeline->last_ns;
}

static bool parse_size(const struct recording_event *event, int *cols, int *rows)
{
    int end = 0;

    return sscanf(event->text, "%4dx%4d%n", cols, rows, &end) == 2 && (size_t)end == event->length &&
           *cols >= 1 && *cols <= SIZE_MAX_CELLS && *rows >= 1 && *rows <= SIZE_MAX_CELLS;
}

/* False: it is nothing that is exported. */
static bool translate(struct timeline *timeline, const struct recording_event *from,
                      struct timeline_event *event)
{
    if (strchr("oimr", from->type) == NULL || from->type == '\0')
        return false;
    *event = (struct timeline_event){
        .type = from->type, .text = from->text, .length = from->length, .attempt = timeline->source.attempt};
    if (from->type == 'r' && !parse_size(from, &event->cols, &event->rows))
        return false;
    event->at_ns = time_of(timeline, from->seconds);
    return true;
}

int timeline_next(struct timeline *timeline, struct timeline_event *event, struct error *error)
{
    struct recording_event from;

    for (;;) {
        int got;
        if (timeline->reader == NULL)
            return timeline->next == timeline->count ? 0 : begin_attempt(timeline, event, error);
        got = timeline->end != 0 && timeline->position >= timeline->end
                  ? 0
                  : recording_reader_next(timeline->reader, &from, error);
        if (got < 0)
            return -1;
        if (got == 0) {
            finish_attempt(timeline);
            continue;
        }
        timeline->position = from.next_offset;
        if (translate(timeline, &from, event))
            return 1;
    }
}
