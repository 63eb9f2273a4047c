#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/simulation/world.h"

/* Stands for the lock that a session holds while it lives. */
static bool lives(void *argument, const char *uuid)
{
    long index = strtol(uuid + 24, NULL, 10);

    (void)argument;
    return index >= 0 && index < world->options.sessions && world->sessions[index].alive;
}

static struct ledger_turn turn_of(const struct session *session)
{
    return (struct ledger_turn){.account = world->accounts[session->account].key,
                                .session = session->uuid,
                                .now_ms = machine_ms(),
                                .jitter_ms = session->jitter_ms,
                                .stagger_ms = world->rules.stagger_ms,
                                .probe_ms = world->rules.probe_ms,
                                .cap = world->options.cap,
                                .alive = lives};
}

static int operate(const struct session *session, enum operation operation, int64_t until_ms,
                   struct ledger_permission *permission, struct error *error)
{
    struct ledger_turn turn = turn_of(session);
    struct ledger *ledger = ledger_open(world->options.state_dir, LEDGER_WRITE, error);
    int result = -1;

    if (ledger == NULL)
        return -1;
    if (operation == TURN_ASK)
        result = ledger_turn_ask(ledger, &turn, permission, error);
    else if (operation == TURN_THROUGH)
        result = ledger_turn_through(ledger, &turn, error);
    else if (operation == TURN_REFUSED)
        result = ledger_turn_refused(ledger, &turn, until_ms, error);
    else if (operation == TURN_OVER)
        result = ledger_turn_over(ledger, &turn, error);
    ledger_close(ledger);
    return result;
}

static int64_t real_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void count(int64_t took_us, int result, const struct error *error)
{
    struct figures *figures = &world->figures;

    world_lock();
    figures->operations++;
    figures->busy_us += took_us;
    if (took_us > figures->slowest_operation_us)
        figures->slowest_operation_us = took_us;
    if (result < 0 && figures->ledger_errors++ == 0)
        (void)snprintf(figures->first_ledger_error, sizeof figures->first_ledger_error, "%.250s",
                       error->text);
    world_unlock();
}

bool turn_do(struct session *session, enum operation operation, int64_t until_ms,
             struct ledger_permission *permission)
{
    struct error error = {.code = 0};
    int64_t begin_us = real_us();
    int result = operate(session, operation, until_ms, permission, &error);

    count(real_us() - begin_us, result, &error);
    return result == 0;
}

void turn_killed(struct session *session)
{
    struct timespec pause = {0, (long)draw_between(&session->random, 0, 1500000)};
    struct ledger_permission permission;
    pid_t child = fork();

    if (child < 0)
        abort();
    if (child == 0) {
        (void)operate(session, TURN_ASK, 0, &permission, NULL);
        _exit(0);
    }
    (void)nanosleep(&pause, NULL);
    (void)kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    world_lock();
    world->figures.killed++;
    world_unlock();
}
