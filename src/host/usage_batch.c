#include "host/usage_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MARKS 4096

struct texts {
    char message[2 * USAGE_TEXT_MAX], request[USAGE_TEXT_MAX], conversation[USAGE_TEXT_MAX],
        model[USAGE_TEXT_MAX];
};

struct usage_batch {
    const struct usage_import *what;
    struct ledger *ledger;
    pthread_mutex_t *lock;
    struct ledger_usage *rows;
    struct texts *texts; /* of each row */
    size_t count, most;
    struct usage_mark *marks;
    size_t marked;
    bool failed;
    struct error error;
};

struct usage_batch *usage_batch_create(const struct usage_import *what, struct ledger *ledger,
                                       pthread_mutex_t *lock, size_t rows)
{
    struct usage_batch *batch = xcalloc(1, sizeof *batch);

    batch->what = what;
    batch->ledger = ledger;
    batch->lock = lock;
    /* Not cleared: pages are used as records come. */
    batch->rows = xmalloc(rows * sizeof *batch->rows);
    batch->texts = xmalloc(rows * sizeof *batch->texts);
    batch->marks = xmalloc(MARKS * sizeof *batch->marks);
    batch->most = rows;
    return batch;
}

static void forget(struct usage_batch *batch)
{
    for (size_t i = 0; i < batch->marked; i++)
        free(batch->marks[i].path);
    batch->marked = 0;
    batch->count = 0;
}

void usage_batch_destroy(struct usage_batch *batch)
{
    if (batch == NULL)
        return;
    forget(batch);
    free(batch->rows);
    free(batch->texts);
    free(batch->marks);
    free(batch);
}

static void lock(const struct usage_batch *batch)
{
    if (batch->lock != NULL)
        (void)pthread_mutex_lock(batch->lock);
}

static void unlock(const struct usage_batch *batch)
{
    if (batch->lock != NULL)
        (void)pthread_mutex_unlock(batch->lock);
}

static void flush(struct usage_batch *batch)
{
    int result;

    lock(batch);
    result = ledger_usage_add(batch->ledger, batch->rows, batch->count, &batch->error);
    for (size_t i = 0; i < batch->marked && result == 0; i++) {
        const struct usage_mark *mark = &batch->marks[i];
        result = ledger_file_read(batch->ledger, mark->path, mark->device, mark->inode, mark->offset,
                                  &batch->error);
    }
    unlock(batch);
    batch->failed = result < 0;
    forget(batch);
}

int64_t usage_batch_offset(struct usage_batch *batch, const struct usage_mark *mark, int64_t size)
{
    int64_t offset;

    lock(batch);
    offset = ledger_file_offset(batch->ledger, mark->path, mark->device, mark->inode, size);
    unlock(batch);
    return offset;
}

void usage_batch_mark(struct usage_batch *batch, const struct usage_mark *mark)
{
    if (batch->failed) {
        free(mark->path);
        return;
    }
    batch->marks[batch->marked++] = *mark;
    if (batch->marked == MARKS)
        flush(batch);
}

static const char *keep(char *room, size_t size, const char *text)
{
    if (text == NULL)
        return NULL;
    (void)strlcpy(room, text, size);
    return room;
}

/* What the agent reports counts, else the list of prices; an answer that is not billed is priced by it too. */
static void price(const struct usage_import *what, const struct usage_record *record,
                  struct ledger_usage *row)
{
    bool free_of_charge = record->subscription || what->subscription;

    row->cost_usd = free_of_charge && record->cost_usd <= 0 ? -1 : record->cost_usd;
    row->basis = row->cost_usd >= 0 ? LEDGER_REPORTED : LEDGER_COMPUTED;
    if (row->cost_usd < 0 && what->prices != NULL)
        row->cost_usd = prices_cost(what->prices, record);
    if (free_of_charge)
        row->basis = LEDGER_SUBSCRIPTION;
    else if (row->cost_usd < 0)
        row->basis = LEDGER_UNPRICED;
}

/* What was copied from another conversation is not the session's: Claude's rows keep the id of theirs. */
static bool is_sessions_own(const struct usage_import *what, const struct usage_record *record)
{
    if (what->session == NULL || record->copied)
        return false;
    return strcmp(what->agent, "claude") != 0 || what->conversation == NULL || record->conversation == NULL ||
           strcmp(what->conversation, record->conversation) == 0;
}

void usage_batch_take(void *argument, const struct usage_record *record)
{
    struct usage_batch *batch = argument;
    const struct usage_import *what = batch->what;
    struct texts *texts = &batch->texts[batch->count];
    bool own = is_sessions_own(what, record);
    struct ledger_usage *row = &batch->rows[batch->count];

    if (batch->failed)
        return;
    *row = (struct ledger_usage){
        .agent = what->agent,
        .account = what->account,
        .message = keep(texts->message, sizeof texts->message, record->message),
        .request = keep(texts->request, sizeof texts->request, record->request),
        .conversation = keep(texts->conversation, sizeof texts->conversation, record->conversation),
        .session = own ? what->session : NULL,
        .attempt = own ? what->attempt : 0,
        .model = keep(texts->model, sizeof texts->model, record->model),
        .at_ms = record->at_ms,
        .sidechain = record->sidechain,
        .input_tokens = record->input_tokens,
        .output_tokens = record->output_tokens,
        .cache_read_tokens = record->cache_read_tokens,
        .cache_write_tokens = record->cache_write_tokens};
    price(what, record, row);
    if (++batch->count == batch->most)
        flush(batch);
}

int usage_batch_flush(struct usage_batch *batch, struct error *error)
{
    if (!batch->failed)
        flush(batch);
    if (!batch->failed)
        return 0;
    if (error != NULL)
        *error = batch->error;
    return -1;
}

bool usage_batch_failed(const struct usage_batch *batch)
{
    return batch->failed;
}
