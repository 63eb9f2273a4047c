#include <stdlib.h>

#include "tests/simulation/world.h"

enum { DISTURBANCES_MAX = 64 };

#define STEP_MS 30000

/* At a time of the world: the machine's clock is set by so much, or the machine sleeps for so long. */
static struct disturbance {
    int64_t at_ms, step_ms, sleep_ms;
} list[DISTURBANCES_MAX];
static int count, done;

static int by_time(const void *a, const void *b)
{
    const struct disturbance *x = a, *y = b;

    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

void disturbances_init(void)
{
    uint64_t random = world->options.seed * 7919 + 1;
    int64_t length_ms = world->options.days * DAY_MS;

    for (int i = 0; i < world->options.steps_of_clock && count < DISTURBANCES_MAX; i++)
        list[count++] =
            (struct disturbance){world->begin_ms + draw_between(&random, HOUR_MS, length_ms), STEP_MS, 0};
    for (int i = 0; i < world->options.suspends && count < DISTURBANCES_MAX; i++) {
        int64_t day_ms = draw_between(&random, 0, world->options.days - 1) * DAY_MS;

        list[count++] =
            (struct disturbance){world->begin_ms + day_ms + draw_between(&random, 10 * HOUR_MS, 18 * HOUR_MS),
                                 0, draw_between(&random, 2, 9) * HOUR_MS};
    }
    qsort(list, (size_t)count, sizeof list[0], by_time);
    for (int i = 0, steps = 0; i < count; i++) {
        /* Fast, right, slow, right. */
        if (list[i].step_ms != 0 && (++steps / 2) % 2 == 1)
            list[i].step_ms = -STEP_MS;
        list[i].at_ms = list[i].at_ms / TICK_MS * TICK_MS;
    }
}

int64_t disturbances_next(void)
{
    return done < count ? list[done].at_ms : NEVER;
}

/* What was asked before the sleep is no longer waited for. */
static void forget_probes(void)
{
    for (int i = 0; i < world->options.accounts; i++)
        world->accounts[i].probing = 0;
    for (int i = 0; i < world->options.sessions; i++)
        world->sessions[i].probing = false;
}

bool disturbances_run(void)
{
    bool any = false;

    for (; done < count && list[done].at_ms <= world->now_ms; done++) {
        any = true;
        world->now_ms += list[done].sleep_ms;
        world->offset_ms += list[done].step_ms;
        if (list[done].sleep_ms == 0)
            continue;
        world->awake_ms = world->now_ms;
        forget_probes();
    }
    for (int i = 0; any && i < world->options.accounts; i++)
        world->accounts[i].disturbed_ms = world->now_ms;
    return any;
}
