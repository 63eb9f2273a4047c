#include "host/ledger_link.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/host.h"

#define STACK_BYTES (512 * 1024)
#define KEPT_MAX 256 /* tasks that wait until the ledger can be written again */
#define MEND_NS 10000000000
#define FINISH_S 5

struct entry {
    STAILQ_ENTRY(entry) entries;
    struct ledger_task task;
    int result;
    struct error error;
};

STAILQ_HEAD(entries, entry);

struct ledger_link {
    struct host *host;
    int notice; /* eventfd to the loop */
    struct event *news, *mend;
    pthread_t thread;
    bool started;        /* a thread has to be joined */
    bool failing;        /* it was said that the ledger cannot be used */
    struct entries kept; /* observations that could not be written */
    unsigned kept_count;

    pthread_mutex_t mutex;
    struct entries waiting, done; /* under the mutex */
    bool running;                 /* the same: the thread will look at `waiting` once more */
};

/* ---- the thread ---- */

static struct ledger *open_ledger(const struct host *host, struct error *error)
{
    struct ledger *ledger = ledger_open(host->state_dir, LEDGER_WRITE, error);

    /* It was set aside: another begins. */
    if (ledger == NULL && error->code == EUCLEAN)
        ledger = ledger_open(host->state_dir, LEDGER_WRITE, NULL);
    return ledger;
}

static struct entry *next(struct ledger_link *link)
{
    struct entry *entry;

    pthread_mutex_lock(&link->mutex);
    entry = STAILQ_FIRST(&link->waiting);
    if (entry != NULL)
        STAILQ_REMOVE_HEAD(&link->waiting, entries);
    else
        link->running = false;
    pthread_mutex_unlock(&link->mutex);
    return entry;
}

static void *run(void *argument)
{
    struct ledger_link *link = argument;
    struct error problem = {0};
    struct ledger *ledger = open_ledger(link->host, &problem);
    struct entry *entry;
    const uint64_t one = 1;

    while ((entry = next(link)) != NULL) {
        if (ledger == NULL) {
            entry->result = -1;
            entry->error = problem;
        } else {
            entry->result = entry->task.work(ledger, entry->task.argument, &entry->error);
        }
        pthread_mutex_lock(&link->mutex);
        STAILQ_INSERT_TAIL(&link->done, entry, entries);
        pthread_mutex_unlock(&link->mutex);
        if (write(link->notice, &one, sizeof one) < 0)
            log_error("the loop cannot be told what the ledger did");
    }
    ledger_close(ledger);
    return NULL;
}

static int start_thread(struct ledger_link *link)
{
    pthread_attr_t attributes;
    sigset_t all, old;
    int result;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    result = pthread_create(&link->thread, &attributes, run, link);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    return result;
}

/* ---- the loop ---- */

static void free_entry(struct entry *entry)
{
    (entry->task.free == NULL ? free : entry->task.free)(entry->task.argument);
    free(entry);
}

/* `entry` may be NULL: what waits already. */
static void give(struct ledger_link *link, struct entry *entry)
{
    bool running;

    pthread_mutex_lock(&link->mutex);
    if (entry != NULL)
        STAILQ_INSERT_TAIL(&link->waiting, entry, entries);
    running = link->running || STAILQ_EMPTY(&link->waiting);
    link->running = link->running || !running;
    pthread_mutex_unlock(&link->mutex);
    if (running)
        return;
    if (link->started)
        (void)pthread_join(link->thread, NULL);
    link->started = start_thread(link) == 0;
    if (!link->started) {
        /* Tried again a little later. */
        pthread_mutex_lock(&link->mutex);
        link->running = false;
        pthread_mutex_unlock(&link->mutex);
        host_timer(link->mend, MEND_NS);
    }
}

void ledger_do(struct host *host, const struct ledger_task *task)
{
    struct entry *entry = xcalloc(1, sizeof *entry);

    entry->task = *task;
    give(host->ledger, entry);
}

static void keep(struct ledger_link *link, struct entry *entry)
{
    if (link->kept_count == KEPT_MAX) {
        struct entry *oldest = STAILQ_FIRST(&link->kept);
        STAILQ_REMOVE_HEAD(&link->kept, entries);
        free_entry(oldest);
        link->kept_count--;
    }
    STAILQ_INSERT_TAIL(&link->kept, entry, entries);
    link->kept_count++;
    if (!event_pending(link->mend, EV_TIMEOUT, NULL))
        host_timer(link->mend, MEND_NS);
}

/* What could not be written is given again; whether the ledger works is seen then. */
static void mend_due(evutil_socket_t descriptor, short what, void *argument)
{
    struct ledger_link *link = argument;
    struct entries kept;

    (void)descriptor;
    (void)what;
    STAILQ_INIT(&kept);
    STAILQ_CONCAT(&kept, &link->kept);
    link->kept_count = 0;
    give(link, NULL);
    while (!STAILQ_EMPTY(&kept)) {
        struct entry *entry = STAILQ_FIRST(&kept);
        STAILQ_REMOVE_HEAD(&kept, entries);
        give(link, entry);
    }
}

static void judge(struct ledger_link *link, const struct entry *entry)
{
    if (entry->result < 0 && !link->failing) {
        link->failing = true;
        host_warn(link->host, "ledger",
                  "%s; sessions go on, limits and usage are caught up when the ledger can be used again",
                  entry->error.text);
    } else if (entry->result == 0 && link->failing) {
        link->failing = false;
        (void)events_emit(
            link->host, "warning",
            json_pack("{ss ss}", "code", "ledger_mended", "message", "the ledger can be used again"));
    }
}

static void finish_entry(struct ledger_link *link, struct entry *entry)
{
    judge(link, entry);
    if (entry->task.done != NULL)
        entry->task.done(link->host, entry->task.argument, entry->result);
    if (entry->result < 0 && entry->task.keep)
        keep(link, entry);
    else
        free_entry(entry);
}

static void news_came(evutil_socket_t descriptor, short what, void *argument)
{
    struct ledger_link *link = argument;
    struct entries done;
    uint64_t count;

    (void)what;
    if (read(descriptor, &count, sizeof count) < 0)
        return;
    STAILQ_INIT(&done);
    pthread_mutex_lock(&link->mutex);
    STAILQ_CONCAT(&done, &link->done);
    pthread_mutex_unlock(&link->mutex);
    while (!STAILQ_EMPTY(&done)) {
        struct entry *entry = STAILQ_FIRST(&done);
        STAILQ_REMOVE_HEAD(&done, entries);
        finish_entry(link, entry);
    }
}

void ledger_link_init(struct host *host)
{
    struct ledger_link *link = xcalloc(1, sizeof *link);

    host->ledger = link;
    link->host = host;
    STAILQ_INIT(&link->waiting);
    STAILQ_INIT(&link->done);
    STAILQ_INIT(&link->kept);
    pthread_mutex_init(&link->mutex, NULL);
    link->notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->news = event_new(host->loop, link->notice, EV_READ | EV_PERSIST, news_came, link);
    event_add(link->news, NULL);
    link->mend = evtimer_new(host->loop, mend_due, link);
}

static void free_all(struct entries *list)
{
    while (!STAILQ_EMPTY(list)) {
        struct entry *entry = STAILQ_FIRST(list);
        STAILQ_REMOVE_HEAD(list, entries);
        free_entry(entry);
    }
}

void ledger_link_finish(struct host *host)
{
    struct ledger_link *link = host->ledger;
    struct timespec until;

    if (link == NULL)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FINISH_S;
    host->ledger = NULL;
    event_free(link->news);
    event_free(link->mend);
    /* A thread that hangs in the disk is left to the end of the process. */
    if (link->started && pthread_timedjoin_np(link->thread, NULL, &until) != 0)
        return;
    free_all(&link->waiting);
    free_all(&link->done);
    free_all(&link->kept);
    close(link->notice);
    pthread_mutex_destroy(&link->mutex);
    free(link);
}
