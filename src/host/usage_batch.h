/*
 * Records of usage on their way into the ledger: gathered, priced, and added some at a time; a file is noted as read once all
 * that it said has been added. Several batches, one a thread, may share a ledger and its lock.
 */
#ifndef HOST_USAGE_BATCH_H
#define HOST_USAGE_BATCH_H

#include <pthread.h>

#include "agent/usage_record.h"
#include "host/usage_import.h"

/* A file as it was when it was opened. */
struct usage_mark {
    char *path; /* its name in the ledger */
    int64_t device, inode;
    int64_t offset; /* read so far */
};

struct usage_batch;

/* All that is passed is borrowed until usage_batch_destroy; `lock` guards the ledger, NULL when nobody else uses it. `rows` are
 * added at once, a KB each: where much is added, fewer and larger transactions write far less. */
struct usage_batch *usage_batch_create(const struct usage_import *what, struct ledger *ledger,
                                       pthread_mutex_t *lock, size_t rows);
void usage_batch_destroy(struct usage_batch *batch);
/* A usage_taker whose argument is the batch. */
void usage_batch_take(void *batch, const struct usage_record *record);
/* What the ledger knows of a file: its offset, 0 for one that is not known or is another. `size`: as of
 * ledger_file_offset. */
int64_t usage_batch_offset(struct usage_batch *batch, const struct usage_mark *mark, int64_t size);
/* All records of a file were taken: it is noted as read to mark->offset with them. Takes mark->path. */
void usage_batch_mark(struct usage_batch *batch, const struct usage_mark *mark);
/* Adds what is left. Returns 0, or -1 and the first error of all, after which nothing more was added. */
int usage_batch_flush(struct usage_batch *batch, struct error *error);
bool usage_batch_failed(const struct usage_batch *batch);

#endif
