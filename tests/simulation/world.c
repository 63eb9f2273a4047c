#include "tests/simulation/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BEGIN_MS INT64_C(1795392000000)

struct world *world;

static void init_mutex(void)
{
    pthread_mutexattr_t attributes;

    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (pthread_mutex_init(&world->mutex, &attributes) != 0)
        abort();
    (void)pthread_mutexattr_destroy(&attributes);
}

/* A five-hour window begins with the first use, a week's ends on some day within the first seven. */
static void init_account(struct account *account, int index)
{
    const struct options *options = &world->options;

    (void)snprintf(account->name, sizeof account->name, "a%d", index);
    (void)snprintf(account->key, sizeof account->key, "claude/a%d", index);
    account->windows[0] = (struct window){5 * HOUR_MS, 0, 0, options->window_tokens};
    account->windows[1] = (struct window){7 * DAY_MS, BEGIN_MS + (2 + 2 * (index % 3)) * DAY_MS + 7 * HOUR_MS,
                                          0, options->week_tokens};
    account->least_gap_ms = NEVER;
}

void world_create(const struct options *options, const struct retry_rules *rules)
{
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED)
        abort();
    world->options = *options;
    world->rules = *rules;
    world->begin_ms = world->now_ms = BEGIN_MS;
    init_mutex();
    for (int i = 0; i < options->accounts; i++)
        init_account(&world->accounts[i], i);
    for (int i = 0; i < options->sessions; i++)
        session_init(&world->sessions[i], i);
}

void world_lock(void)
{
    if (pthread_mutex_lock(&world->mutex) != 0)
        abort();
}

void world_unlock(void)
{
    (void)pthread_mutex_unlock(&world->mutex);
}

int64_t machine_ms(void)
{
    return world->now_ms + world->offset_ms;
}

int64_t tick_after(int64_t ms)
{
    int64_t at = (ms + TICK_MS - 1) / TICK_MS * TICK_MS;

    return at > world->now_ms ? at : world->now_ms + TICK_MS;
}

int64_t world_ms(int64_t machine)
{
    return tick_after(machine - world->offset_ms);
}

double draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

int64_t draw_between(uint64_t *state, int64_t least, int64_t most)
{
    return least + (int64_t)(draw(state) * (double)(most - least + 1));
}
