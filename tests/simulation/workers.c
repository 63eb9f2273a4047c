#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "tests/simulation/world.h"

#define TICK_TIMEOUT_MS 120000

/* Each process gets a byte to run a tick, and answers with the next time that anything of its own is due. */
static struct worker {
    pid_t pid;
    int to, from;
    int64_t next_ms;
} workers[WORKERS_MAX];

static int watch_notify(void)
{
    char *path = path_join(world->options.state_dir, LEDGER_NOTIFY);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB) < 0)
        abort();
    free(path);
    return fd;
}

static bool notified(int fd)
{
    char events[4096];
    bool any = false;

    while (read(fd, events, sizeof events) > 0)
        any = true;
    return any;
}

static bool due(const struct session *session, bool all)
{
    if (session->wake_ms <= world->now_ms)
        return true;
    if (!all)
        return false;
    return session->state == STATE_BACKOFF || (session->state == STATE_ASKING && session->held);
}

static int64_t run_tick(int index, bool all)
{
    int64_t next_ms = NEVER;

    for (int i = index; i < world->options.sessions; i += world->options.workers) {
        struct session *session = &world->sessions[i];

        if (due(session, all))
            session_run(session);
        if (session->wake_ms < next_ms)
            next_ms = session->wake_ms;
    }
    return next_ms;
}

static void work(int index, int from, int to)
{
    int notify = watch_notify();
    char order;

    clock_inject(machine_ms, NULL);
    while (read(from, &order, 1) == 1) {
        bool changed = notified(notify);
        int64_t next_ms = run_tick(index, changed || order == 'a');

        if (write(to, &next_ms, sizeof next_ms) != (ssize_t)sizeof next_ms)
            break;
    }
    _exit(0);
}

static void start(int index)
{
    int orders[2], answers[2];

    if (pipe2(orders, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0)
        abort();
    workers[index].pid = fork();
    if (workers[index].pid < 0)
        abort();
    if (workers[index].pid == 0) {
        for (int i = 0; i < index; i++) {
            (void)close(workers[i].to);
            (void)close(workers[i].from);
        }
        (void)close(orders[1]);
        (void)close(answers[0]);
        work(index, orders[0], answers[1]);
    }
    (void)close(orders[0]);
    (void)close(answers[1]);
    workers[index].to = orders[1];
    workers[index].from = answers[0];
    workers[index].next_ms = world->now_ms;
}

static int notify_fd = -1;

void workers_start(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    notify_fd = watch_notify();
    for (int i = 0; i < world->options.workers; i++)
        start(i);
}

static void take_answer(struct worker *worker)
{
    struct pollfd poll_from = {worker->from, POLLIN, 0};

    if (poll(&poll_from, 1, TICK_TIMEOUT_MS) != 1 ||
        read(worker->from, &worker->next_ms, sizeof worker->next_ms) != (ssize_t)sizeof worker->next_ms) {
        (void)fprintf(stderr, "a worker (process %d) died or hangs\n", (int)worker->pid);
        exit(3);
    }
}

bool workers_notified(void)
{
    return notified(notify_fd);
}

int64_t workers_tick(bool all)
{
    bool runs[WORKERS_MAX] = {false};
    int64_t next_ms = NEVER;

    for (int i = 0; i < world->options.workers; i++) {
        runs[i] = all || workers[i].next_ms <= world->now_ms;
        if (runs[i] && write(workers[i].to, all ? "a" : "t", 1) != 1)
            exit(3);
    }
    for (int i = 0; i < world->options.workers; i++) {
        if (runs[i])
            take_answer(&workers[i]);
        if (workers[i].next_ms < next_ms)
            next_ms = workers[i].next_ms;
    }
    return next_ms;
}

bool workers_finish(void)
{
    bool well = true;

    for (int i = 0; i < world->options.workers; i++) {
        int status = 0;

        (void)close(workers[i].to);
        (void)close(workers[i].from);
        while (waitpid(workers[i].pid, &status, 0) < 0 && errno == EINTR)
            continue;
        well = well && status == 0;
    }
    (void)close(notify_fd);
    return well;
}
