#include "keeper/keeper.h"

#include <signal.h>
#include <unistd.h>

#define GRACE_MAX_MS (3600 * 1000)
#define LEFTOVER_GRACE_MS 2000
#define KILL_INTERVAL_MS 20
#define KILL_INTERVAL_MAX_MS 500

static void finish(struct keeper *keeper)
{
    keeper->ending = (struct ending){.next = KEEPER_NEVER};
    attempt_gone(keeper, false);
    if (keeper->leaving)
        host_dismiss(keeper);
}

/* The foreground group first: it is what the person sees; then the leader's, when that is another one. */
static void interrupt(const struct keeper *keeper)
{
    pid_t leader = keeper->attempt.leader;
    int pty = keeper->attempt.fds[KEEPER_DESCRIPTOR_PTY];
    pid_t foreground = pty >= 0 ? tcgetpgrp(pty) : -1;

    if (foreground > 0)
        (void)descendants_signal(keeper, foreground, SIGINT);
    if (leader > 0 && leader != foreground)
        (void)descendants_signal(keeper, leader, SIGINT);
}

static void enter(struct keeper *keeper, enum ending_stage stage, int64_t now)
{
    struct ending *ending = &keeper->ending;

    ending->stage = stage;
    ending->next = stage == ENDING_KILL ? now : now + ending->grace;
    if (stage == ENDING_INTERRUPT)
        interrupt(keeper);
    if (stage == ENDING_TERMINATE) {
        (void)descendants_signal(keeper, 0, SIGTERM);
        (void)descendants_signal(keeper, 0, SIGCONT);
    }
}

void ending_start(struct keeper *keeper, int64_t grace)
{
    struct ending *ending = &keeper->ending;
    int64_t now = keeper_now();

    grace = grace < 0 ? 0 : grace > GRACE_MAX_MS ? GRACE_MAX_MS : grace;
    if (ending->stage == ENDING_NONE) {
        ending->grace = grace;
        enter(keeper, ENDING_INTERRUPT, now);
    } else if (grace < ending->grace) {
        ending->grace = grace;
        if (ending->next > now + grace)
            ending->next = now + grace;
    }
    ending_tick(keeper, now);
}

void ending_leftovers(struct keeper *keeper)
{
    if (keeper->attempt.keep_children) {
        attempt_gone(keeper, descendants_signal(keeper, 0, 0) > 0);
        return;
    }
    keeper->ending.grace = LEFTOVER_GRACE_MS;
    (void)descendants_signal(keeper, 0, SIGHUP);
    enter(keeper, ENDING_TERMINATE, keeper_now());
    ending_tick(keeper, keeper_now());
}

void ending_tick(struct keeper *keeper, int64_t now)
{
    struct ending *ending = &keeper->ending;

    if (ending->stage == ENDING_NONE)
        return;
    while (ending->stage != ENDING_KILL && now >= ending->next)
        enter(keeper, ending->stage + 1, now);
    if (ending->stage == ENDING_KILL && now >= ending->next) {
        int64_t wait = KILL_INTERVAL_MS * (int64_t)(1 + ending->rounds++ / 10);
        ending->next = now + (wait < KILL_INTERVAL_MAX_MS ? wait : KILL_INTERVAL_MAX_MS);
        /* Those who forked while the list was read are caught by the next pass. */
        for (int pass = 0; pass < 5 && descendants_signal(keeper, 0, SIGKILL) > 0; pass++)
            continue;
    }
    if (keeper->attempt.leader == 0 && descendants_signal(keeper, 0, 0) == 0)
        finish(keeper);
}
