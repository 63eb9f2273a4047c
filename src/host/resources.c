#include "host/resources.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "host/host.h"
#include "host/process_tree.h"

#define INTERVAL_NS 5000000000LL
#define COST_SHARE 2000 /* looking takes at most one part in so many of the time */
#define TELL_MS 60000
#define TELL_SOON_MS 15000
#define MUCH_PCT 50.0
#define SOME_PCT 5.0
#define MUCH_BYTES (128ULL * 1024 * 1024)
#define SOME_BYTES (16ULL * 1024 * 1024)
#define PROCESSES_MAX 1024

/* Below the keeper, but for the host and what it started: also what an agent left behind. */
static size_t list_processes(const struct host *host, pid_t *pids)
{
    pid_t keeper = getppid(), own[64];
    size_t own_count = process_tree_list(getpid(), own, sizeof own / sizeof own[0]), count, kept = 0;

    /* A keeper that died has left its host to init. */
    count = process_tree_list(keeper > 1 ? keeper : host->attempt.pid, pids, PROCESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        bool ours = pids[i] == keeper;
        for (size_t k = 0; k < own_count && !ours; k++)
            ours = pids[i] == own[k];
        if (!ours)
            pids[kept++] = pids[i];
    }
    return kept;
}

static double rounded(double pct)
{
    return (double)(int64_t)(pct * 10 + 0.5) / 10;
}

/* CPU time can go back, when a process is reaped by nobody who counts. */
static double percent_of(const struct host *host, const struct process_use *use, int64_t now)
{
    const struct resources *resources = &host->resources;
    int64_t since = now - (resources->looked_ns != 0 ? resources->looked_ns : host->attempt.started_ns);

    if (since <= 0 || use->cpu_ms < resources->use.cpu_ms)
        return 0;
    return rounded((double)(use->cpu_ms - resources->use.cpu_ms) * 1e8 / (double)since);
}

static bool differs(const struct resources *resources, double pct, uint64_t bytes, double by_pct,
                    uint64_t by_bytes)
{
    double pct_apart = pct > resources->told_pct ? pct - resources->told_pct : resources->told_pct - pct;
    uint64_t bytes_apart =
        bytes > resources->told_bytes ? bytes - resources->told_bytes : resources->told_bytes - bytes;

    return pct_apart >= by_pct || bytes_apart >= by_bytes;
}

static void tell(struct host *host, double pct, const struct process_use *use)
{
    struct resources *resources = &host->resources;
    int64_t since = host_now_ms() - resources->told_ms;

    if (resources->told_ms != 0 &&
        (since < TELL_SOON_MS ||
         (!differs(resources, pct, use->rss_bytes, MUCH_PCT, MUCH_BYTES) &&
          (since < TELL_MS || !differs(resources, pct, use->rss_bytes, SOME_PCT, SOME_BYTES)))))
        return;
    resources->told_ms = host_now_ms();
    resources->told_pct = pct;
    resources->told_bytes = use->rss_bytes;
    (void)events_emit(host, "resource", json_copy(json_object_get(host->session.object, "resources")));
}

/* Returns how long it took, in nanoseconds. */
static int64_t look(struct host *host)
{
    struct resources *resources = &host->resources;
    pid_t *pids = xcalloc(PROCESSES_MAX, sizeof *pids);
    int64_t begun = host_now_ns();
    struct process_use use = process_use_of(pids, list_processes(host, pids));
    double pct = percent_of(host, &use, begun);
    bool first = resources->looked_ns == 0;

    free(pids);
    resources->use = use;
    resources->looked_ns = begun;
    session_set(host, "resources",
                json_pack("{sf sI sI}", "cpu_pct", pct, "rss_bytes", (json_int_t)use.rss_bytes, "processes",
                          (json_int_t)use.processes));
    if (!first)
        tell(host, pct, &use);
    return host_now_ns() - begun;
}

static bool can_look(const struct host *host)
{
    return attempt_running(&host->attempt) && !host->attempt.replaying;
}

static bool is_wanted(const struct host *host)
{
    return host->clients.count > 0 || phase_is_working(host->activity.reported);
}

static void look_again(struct host *host, int64_t took_ns)
{
    int64_t wait = took_ns * COST_SHARE;

    host_timer(host->resources.timer, wait > INTERVAL_NS ? wait : INTERVAL_NS);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    if (can_look(host) && is_wanted(host))
        look_again(host, look(host));
}

void resources_init(struct host *host)
{
    host->resources.timer = evtimer_new(host->loop, timer_fired, host);
}

void resources_finish(struct host *host)
{
    event_free(host->resources.timer);
}

void resources_wake(struct host *host)
{
    if (!event_pending(host->resources.timer, EV_TIMEOUT, NULL) && can_look(host) && is_wanted(host))
        look_again(host, host->resources.looked_ns == 0 ? look(host) : 0);
}

void resources_refresh(struct host *host)
{
    if (can_look(host) && host_now_ns() - host->resources.looked_ns > INTERVAL_NS)
        (void)look(host);
}

void resources_end(struct host *host)
{
    event_del(host->resources.timer);
    host->resources = (struct resources){.timer = host->resources.timer};
    session_set(host, "resources", json_null());
}
