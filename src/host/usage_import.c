#include "host/usage_import.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/usage_record.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/usage_batch.h"
#include "host/usage_lines.h"

#define ROWS 1024
#define MANY_ROWS 16384
#define THREADS_MAX 4
#define FILES_PER_THREAD 4 /* fewer are not worth another */

char *usage_import_folder(const char *agent, const char *(*variable)(void *argument, const char *name),
                          void *argument)
{
    const struct usage_source *source = usage_source_find(agent);
    const char *value = source == NULL ? NULL : variable(argument, source->variable);

    if (source == NULL)
        return NULL;
    if (value != NULL && *value != '\0')
        return xstrdup(value);
    value = variable(argument, "HOME");
    if (value == NULL || *value == '\0')
        return NULL;
    return *source->home == '\0' ? xstrdup(value) : path_join(value, source->home);
}

/* ---- which files ---- */

/* A path that means itself in a pattern. */
static void append_literally(struct buffer *pattern, const char *path)
{
    for (; *path != '\0'; path++) {
        if (strchr("*?[\\", *path) != NULL)
            buffer_append_char(pattern, '\\');
        buffer_append_char(pattern, *path);
    }
}

static bool is_id(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("-_", text[i]) == NULL)
            return false;
    }
    return length > 0 && length < 128;
}

/* Patterns have "%s", or "%.8s" for an id's beginning, at most once. */
static void append_pattern(struct buffer *pattern, const char *text, const char *conversation)
{
    const char *percent = conversation == NULL ? NULL : strchr(text, '%');

    if (percent == NULL) {
        buffer_append_string(pattern, text);
        return;
    }
    buffer_append(pattern, text, (size_t)(percent - text));
    if (strncmp(percent, "%.8s", 4) == 0) {
        buffer_append(pattern, conversation, strnlen(conversation, 8));
        buffer_append_string(pattern, percent + 4);
    } else {
        buffer_append_string(pattern, conversation);
        buffer_append_string(pattern, percent + 2);
    }
}

static void find_files(const struct usage_import *what, const char *const *patterns, glob_t *found)
{
    struct buffer pattern;
    int flags = GLOB_NOSORT;

    *found = (glob_t){.gl_pathc = 0};
    buffer_init(&pattern);
    for (; *patterns != NULL; patterns++) {
        buffer_clear(&pattern);
        append_literally(&pattern, what->folder);
        buffer_append_char(&pattern, '/');
        append_pattern(&pattern, *patterns, what->conversation);
        (void)glob(pattern.bytes, flags, NULL, found);
        flags = GLOB_APPEND | GLOB_NOSORT;
    }
    buffer_finish(&pattern);
}

/* ---- one file ---- */

struct reader {
    const struct usage_source *source;
    const struct usage_import *what;
    struct usage_batch *batch;
    void *state; /* of the source, for one file */
    struct usage_import_sum sum;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool take_line(void *argument, const char *line, size_t length)
{
    struct reader *reader = argument;

    reader->source->line(reader->state, line, length, usage_batch_take, reader->batch);
    return !usage_batch_failed(reader->batch);
}

/* Notes how far it was read, once that is added. */
static void done(struct reader *reader, struct usage_mark *mark, int64_t end)
{
    if (end < 0 || usage_batch_failed(reader->batch)) {
        reader->sum.unread += end < 0;
        free(mark->path);
        return;
    }
    mark->offset = end;
    usage_batch_mark(reader->batch, mark);
}

static void read_lines(struct reader *reader, const char *path, int file, const struct stat *status)
{
    struct usage_mark mark = {xstrdup(path), (int64_t)status->st_dev, (int64_t)status->st_ino, 0};
    bool compressed = ends_with(path, ".zst");
    int64_t offset = usage_batch_offset(reader->batch, &mark, status->st_size), end;

    if (offset == status->st_size) {
        free(mark.path);
        return;
    }
    offset = compressed ? 0 : offset;
    if (reader->source->create != NULL)
        reader->state = reader->source->create(path, offset);
    end = usage_lines_read(file, compressed, offset, take_line, reader);
    if (reader->source->destroy != NULL)
        reader->source->destroy(reader->state);
    reader->sum.changed += end != offset;
    reader->sum.bytes += end > offset ? end - offset : 0;
    done(reader, &mark, end);
}

/* A file that is not made of lines has a mark of its own for each conversation. */
static void read_other(struct reader *reader, const char *path, const struct stat *status)
{
    const char *conversation = reader->what->conversation;
    struct usage_mark mark = {conversation == NULL ? xstrdup(path) : xasprintf("%s#%s", path, conversation),
                              (int64_t)status->st_dev, (int64_t)status->st_ino, 0};
    int64_t before = usage_batch_offset(reader->batch, &mark, INT64_MAX), now = before;

    if (reader->source->read(path, conversation, &now, usage_batch_take, reader->batch) < 0)
        now = -1;
    reader->sum.changed += now != before;
    reader->sum.bytes += now == before ? 0 : status->st_size;
    if (now == before)
        free(mark.path);
    else
        done(reader, &mark, now);
}

static void read_file(struct reader *reader, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool lines = ends_with(path, ".jsonl") || ends_with(path, ".jsonl.zst");
    struct stat status;

    reader->sum.files++;
    if (file < 0 || fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
        reader->sum.unread++;
    else if (lines && reader->source->line != NULL)
        read_lines(reader, path, file, &status);
    else if (!lines && reader->source->read != NULL)
        read_other(reader, path, &status);
    if (file >= 0)
        close(file);
}

static void read_found(struct reader *reader, const char *const *patterns,
                       bool (*belongs)(const char *path, const char *conversation))
{
    glob_t files;

    if (patterns == NULL)
        return;
    find_files(reader->what, patterns, &files);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        if (belongs == NULL || belongs(files.gl_pathv[i], reader->what->conversation))
            read_file(reader, files.gl_pathv[i]);
    }
    globfree(&files);
}

int usage_import_conversation(const struct usage_import *what, struct ledger *ledger, struct error *error)
{
    struct reader reader = {.source = usage_source_find(what->agent), .what = what};
    int result;

    if (reader.source == NULL || what->folder == NULL || what->conversation == NULL ||
        !is_id(what->conversation))
        return 0;
    reader.batch = usage_batch_create(what, ledger, NULL, ROWS);
    read_found(&reader, reader.source->conversation, NULL);
    read_found(&reader, reader.source->related, reader.source->belongs);
    result = usage_batch_flush(reader.batch, error);
    usage_batch_destroy(reader.batch);
    return result;
}

/* ---- a folder, by several threads ---- */

struct work {
    const struct usage_import *what;
    const struct usage_source *source;
    struct ledger *ledger;
    glob_t files;
    pthread_mutex_t ledger_lock, lock; /* lock: of what follows */
    size_t next;
    struct usage_import_sum *sum;
    bool failed;
    struct error error;
};

static const char *next_file(struct work *work)
{
    const char *path = NULL;

    (void)pthread_mutex_lock(&work->lock);
    if (work->next < work->files.gl_pathc && !work->failed)
        path = work->files.gl_pathv[work->next++];
    (void)pthread_mutex_unlock(&work->lock);
    return path;
}

static void add_sum(struct usage_import_sum *sum, const struct usage_import_sum *more)
{
    sum->files += more->files;
    sum->changed += more->changed;
    sum->bytes += more->bytes;
    sum->unread += more->unread;
}

static void *work_thread(void *argument)
{
    struct work *work = argument;
    struct reader reader = {.source = work->source, .what = work->what};
    struct error error = {0};
    const char *path;
    bool failed;

    reader.batch = usage_batch_create(work->what, work->ledger, &work->ledger_lock, MANY_ROWS);
    while ((path = next_file(work)) != NULL)
        read_file(&reader, path);
    failed = usage_batch_flush(reader.batch, &error) < 0;
    (void)pthread_mutex_lock(&work->lock);
    add_sum(work->sum, &reader.sum);
    if (failed && !work->failed)
        work->error = error;
    work->failed = failed || work->failed;
    (void)pthread_mutex_unlock(&work->lock);
    usage_batch_destroy(reader.batch);
    return NULL;
}

static void run_threads(struct work *work)
{
    pthread_t threads[THREADS_MAX];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = work->files.gl_pathc / FILES_PER_THREAD, count = 0;

    while (count + 1 < (size_t)(processors > 0 ? processors : 1) && count + 1 < THREADS_MAX && count < most &&
           pthread_create(&threads[count], NULL, work_thread, work) == 0)
        count++;
    (void)work_thread(work);
    while (count > 0)
        (void)pthread_join(threads[--count], NULL);
}

int usage_import_folder_whole(const struct usage_import *what, struct ledger *ledger,
                              struct usage_import_sum *sum, struct error *error)
{
    struct work work = {.what = what, .source = usage_source_find(what->agent), .ledger = ledger, .sum = sum};
    int64_t before, after;

    if (work.source == NULL || what->folder == NULL)
        return 0;
    ledger_usage_bulk(ledger);
    if (ledger_usage_count(ledger, &before, error) < 0)
        return -1;
    (void)pthread_mutex_init(&work.ledger_lock, NULL);
    (void)pthread_mutex_init(&work.lock, NULL);
    find_files(what, work.source->patterns, &work.files);
    run_threads(&work);
    globfree(&work.files);
    (void)pthread_mutex_destroy(&work.lock);
    (void)pthread_mutex_destroy(&work.ledger_lock);
    if (ledger_usage_count(ledger, &after, error) == 0)
        sum->answers += after - before;
    if (work.failed && error != NULL)
        *error = work.error;
    return work.failed ? -1 : 0;
}
