#include "agent/program_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"

#define REPORT_MAX 4096
#define RECORDS_MAX 256
#define ID_MAX 128
#define ID_LEVELS_MAX 8
#define TITLE_MAX 192
#define MESSAGE_MAX 2048

static const char *const state_names[] = {"", "idle", "working", "blocked", "done", "error"};
static const char *const kind_names[] = {"", "permission", "question", "auth"};

void program_status_init(struct program_status *status)
{
    *status = (struct program_status){0};
}

static void record_finish(struct status_record *record)
{
    free(record->id);
    free(record->app);
    free(record->title);
    free(record->message);
    *record = (struct status_record){0};
}

void program_status_clear(struct program_status *status)
{
    for (size_t i = 0; i < status->count; i++)
        record_finish(&status->records[i]);
    status->count = 0;
}

void program_status_finish(struct program_status *status)
{
    program_status_clear(status);
    free(status->records);
    program_status_init(status);
}

static void remove_at(struct program_status *status, size_t index)
{
    record_finish(&status->records[index]);
    status->records[index] = status->records[--status->count];
}

static bool is_below(const char *id, const char *parent)
{
    size_t length = strlen(parent);

    return length == 0 || (strncmp(id, parent, length) == 0 && (id[length] == '\0' || id[length] == '/'));
}

static void remove_tree(struct program_status *status, const char *id)
{
    for (size_t i = status->count; i-- > 0;) {
        if (is_below(status->records[i].id, id))
            remove_at(status, i);
    }
}

void program_status_settle(struct program_status *status)
{
    for (size_t i = status->count; i-- > 0;) {
        if (status->records[i].state == STATUS_WORKING || status->records[i].state == STATUS_BLOCKED)
            remove_at(status, i);
    }
}

static int find_name(const char *const names[], int count, const char *text)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    return 0;
}

static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return true;
    }
    return false;
}

/* Decoded text, or NULL when it is not base64 of clean UTF-8 within the limit. */
static char *decode_text(const char *value, size_t limit)
{
    size_t length = strlen(value), padded = (length + 3) / 4 * 4;
    char *source = xmalloc(padded + 1), *text = xmalloc(padded + 1);
    long decoded;

    memcpy(source, value, length);
    memset(source + length, '=', padded - length);
    decoded = base64_decode(source, padded, text);
    free(source);
    if (decoded < 0 || (size_t)decoded > limit || has_control(text, (size_t)decoded) ||
        !utf8_valid(text, (size_t)decoded)) {
        free(text);
        return NULL;
    }
    text[decoded] = '\0';
    return text;
}

static bool id_valid(const char *id)
{
    int levels = 1;

    if (strlen(id) > ID_MAX)
        return false;
    for (const char *at = id; *at != '\0'; at++)
        levels += *at == '/';
    return levels <= ID_LEVELS_MAX;
}

static bool parse_progress(const char *value, int *progress)
{
    char *end;
    long number = strtol(value, &end, 10);

    if (*value < '0' || *value > '9' || *end != '\0' || number > 100)
        return false;
    *progress = (int)number;
    return true;
}

static void replace(char **field, char *value)
{
    free(*field);
    *field = value;
}

/* Takes one key=value into the record. Unknown keys and values are ignored; false: the report is to be
 * discarded. */
static bool parse_pair(struct status_record *record, const char *key, const char *value, bool *clear)
{
    if (strcmp(key, "state") == 0) {
        *clear = strcmp(value, "clear") == 0;
        record->state = (enum status_state)find_name(state_names, 6, value);
    } else if (strcmp(key, "kind") == 0) {
        record->kind = (enum status_kind)find_name(kind_names, 4, value);
    } else if (strcmp(key, "progress") == 0) {
        return parse_progress(value, &record->progress);
    } else if (strcmp(key, "app") == 0) {
        replace(&record->app, xstrndup(value, TITLE_MAX));
    } else if (strcmp(key, "id") == 0) {
        replace(&record->id, xstrdup(value));
        return id_valid(value);
    } else if (strcmp(key, "title") == 0) {
        replace(&record->title, decode_text(value, TITLE_MAX));
        return record->title != NULL;
    } else if (strcmp(key, "msg") == 0) {
        replace(&record->message, decode_text(value, MESSAGE_MAX));
        return record->message != NULL;
    }
    return true;
}

static bool parse_report(char *text, struct status_record *record, bool *clear)
{
    *clear = false;
    record->progress = -1;
    for (char *next = text; next != NULL;) {
        char *key = strsep(&next, ":"), *equals = strchr(key, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        if (!parse_pair(record, key, equals + 1, clear))
            return false;
    }
    if (record->id == NULL)
        record->id = xstrdup("");
    return *clear || record->state != STATUS_NONE;
}

static void store(struct program_status *status, struct status_record *record)
{
    size_t oldest = 0, at = 0;

    while (at < status->count && strcmp(status->records[at].id, record->id) != 0) {
        if (status->records[at].used < status->records[oldest].used)
            oldest = at;
        at++;
    }
    if (at == status->count && status->count == RECORDS_MAX)
        at = oldest;
    if (at < status->count) {
        record_finish(&status->records[at]);
    } else {
        status->records = xreallocarray(status->records, ++status->count, sizeof *record);
    }
    record->used = ++status->clock;
    status->records[at] = *record;
}

bool program_status_report(struct program_status *status, const char *payload, size_t length)
{
    struct status_record record = {0};
    bool clear;
    char *text;

    if (length > REPORT_MAX || has_control(payload, length) || !utf8_valid(payload, length))
        return false;
    text = xstrndup(payload, length);
    if (!parse_report(text, &record, &clear)) {
        record_finish(&record);
        free(text);
        return false;
    }
    free(text);
    if (clear) {
        remove_tree(status, record.id);
        record_finish(&record);
    } else {
        store(status, &record);
    }
    return true;
}

const struct status_record *program_status_summary(const struct program_status *status)
{
    static const int urgency[] = {[STATUS_NONE] = 0,  [STATUS_IDLE] = 1,    [STATUS_DONE] = 2,
                                  [STATUS_ERROR] = 4, [STATUS_WORKING] = 3, [STATUS_BLOCKED] = 5};
    const struct status_record *best = NULL;

    for (size_t i = 0; i < status->count; i++) {
        const struct status_record *record = &status->records[i];
        if (best == NULL || urgency[record->state] > urgency[best->state] ||
            (urgency[record->state] == urgency[best->state] && record->used > best->used))
            best = record;
    }
    return best;
}
