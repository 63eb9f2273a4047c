/*
 * The host's way to the ledger: work is done in a thread of its own, which begins when there is some and ends, closing the
 * ledger, when there is no more: neither the loop nor the recording waits for another host's transaction, and a host that does
 * not need the ledger holds nothing. Work is done in the order in which it was given.
 */
#ifndef HOST_LEDGER_LINK_H
#define HOST_LEDGER_LINK_H

#include <stdbool.h>

#include "base/error.h"
#include "store/ledger.h"

struct host;
struct ledger_link;

/* In the thread. Returns 0, or -1 with the error. */
typedef int ledger_work(struct ledger *ledger, void *argument, struct error *error);
/* Afterwards, in the loop; result -1 also when the ledger could not be opened. NULL: nothing follows. */
typedef void ledger_done(struct host *host, void *argument, int result);

struct ledger_task {
    ledger_work *work;
    ledger_done *done;
    void *argument;       /* the task's own */
    void (*free)(void *); /* frees it at the end; NULL: free(3) */
    bool keep;            /* what is observed: when it fails it is tried again later */
};

void ledger_link_init(struct host *host);
/* Waits for work that is under way, a few seconds at most. */
void ledger_link_finish(struct host *host);
void ledger_do(struct host *host, const struct ledger_task *task);

#endif
