#include "store/turn_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LIMIT_MAX_MS (32 * INT64_C(86400000))
#define CLOCK_SLACK_MS 60000
#define JITTER_SLACK_MS 600000 /* others' jitter may be more than one's own */
#define ASKING_MS 90000        /* who asked within it still waits */
#define FULL_AGAIN_MS 60000
#define OLDER_AGAIN_MS 5000 /* a lease is free, and an older one is expected to take it */

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct turn_place *find(struct turn_order *order, const char *session)
{
    for (size_t i = 0; i < order->count; i++) {
        if (strcmp(order->places[i].session, session) == 0)
            return &order->places[i];
    }
    return NULL;
}

static bool is_limited(const struct turn_order *order, const struct ledger_turn *turn)
{
    return order->limited_until > turn->now_ms;
}

/* What a clock that was set back left in the future. */
static void mend_times(struct turn_order *order, const struct ledger_turn *turn)
{
    int64_t now = turn->now_ms;

    if (order->limited_since > now + CLOCK_SLACK_MS) {
        order->limited_until -= order->limited_since - now;
        order->limited_since = now;
    }
    if (order->limited_until > now + LIMIT_MAX_MS) {
        order->limited_until = 0;
        order->recovering = true;
    }
    if (order->probe_at > now)
        order->probe_at = now;
    if (order->released_at > now)
        order->released_at = now;
    for (size_t i = 0; i < order->count; i++) {
        struct turn_place *place = &order->places[i];
        if (place->since > now)
            place->since = now;
        if (place->asked > now)
            place->asked = now;
    }
}

/* Whether a place is one that could have been reserved. */
static bool is_sane(const struct turn_order *order, const struct ledger_turn *turn,
                    const struct turn_place *place)
{
    int64_t latest = most(order->limited_until, turn->now_ms) + most(turn->jitter_ms, JITTER_SLACK_MS) +
                     (int64_t)(order->count + 1) * turn->stagger_ms;

    return place->release_at <= latest;
}

static bool is_before(const struct turn_place *a, const struct turn_place *b)
{
    if (a->release_at != b->release_at)
        return a->release_at < b->release_at;
    if (a->since != b->since)
        return a->since < b->since;
    return strcmp(a->session, b->session) < 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct turn_place *const *first = a, *const *second = b;

    return is_before(*first, *second) ? -1 : 1;
}

/* How many wait before this one (`own` NULL: one that came this moment), are due, and asked within that time. */
static size_t count_before(const struct turn_order *order, const struct ledger_turn *turn,
                           const struct turn_place *own, int64_t within_ms)
{
    int64_t due = turn->now_ms + (own == NULL ? turn->stagger_ms : 0);
    size_t count = 0;

    for (size_t i = 0; i < order->count; i++) {
        const struct turn_place *place = &order->places[i];
        if (place != own && !place->running && place->release_at <= due &&
            place->asked >= turn->now_ms - within_ms && (own == NULL || is_before(place, own)))
            count++;
    }
    return count;
}

static size_t count_running(const struct turn_order *order, const struct ledger_turn *turn)
{
    size_t count = 0;

    for (size_t i = 0; i < order->count; i++)
        count += order->places[i].running && strcmp(order->places[i].session, turn->session) != 0;
    return count;
}

/* The session's place, begun when it has none. */
static struct turn_place *place_of(struct turn_order *order, const struct ledger_turn *turn)
{
    struct turn_place *place = find(order, turn->session);

    if (place == NULL) {
        place = &order->places[order->count++];
        *place = (struct turn_place){.since = turn->now_ms, .release_at = turn->now_ms};
        (void)strlcpy(place->session, turn->session, sizeof place->session);
    }
    place->asked = turn->now_ms;
    place->changed = true;
    return place;
}

static void wait_for(struct turn_order *order, const struct ledger_turn *turn,
                     struct ledger_permission *permission, enum ledger_wait wait, int64_t again_ms)
{
    struct turn_place *place = place_of(order, turn);

    if (place->running) {
        place->running = false;
        place->release_at = place->since = turn->now_ms;
    }
    *permission = (struct ledger_permission){.wait = wait, .again_ms = again_ms};
}

static void wait_for_reset(struct turn_order *order, const struct ledger_turn *turn,
                           struct ledger_permission *permission)
{
    struct turn_place *own = find(order, turn->session);
    int64_t release = order->limited_until + turn->jitter_ms;

    if (own != NULL && !own->running && own->release_at >= order->limited_until &&
        is_sane(order, turn, own)) {
        release = own->release_at;
    } else {
        for (size_t i = 0; i < order->count; i++) {
            const struct turn_place *place = &order->places[i];
            if (place != own && !place->running && place->release_at >= order->limited_until &&
                is_sane(order, turn, place))
                release = most(release, place->release_at + turn->stagger_ms);
        }
    }
    wait_for(order, turn, permission, LEDGER_LIMITED, release);
    place_of(order, turn)->release_at = release;
}

static void go(struct turn_order *order, const struct ledger_turn *turn, struct ledger_permission *permission,
               bool waited)
{
    struct turn_place *place = place_of(order, turn);

    *permission = (struct ledger_permission){.wait = LEDGER_GO, .probes = order->recovering};
    if (!place->running)
        place->since = place->release_at = turn->now_ms;
    place->running = true;
    if (waited)
        order->released_at = turn->now_ms;
    if (order->recovering && strcmp(order->probe, turn->session) != 0) {
        (void)strlcpy(order->probe, turn->session, sizeof order->probe);
        order->probe_at = turn->now_ms;
    }
}

static bool another_probes(const struct turn_order *order, const struct ledger_turn *turn)
{
    return order->recovering && order->probe[0] != '\0' && strcmp(order->probe, turn->session) != 0 &&
           turn->now_ms < order->probe_at + turn->probe_ms;
}

/* When one that waited may go: those that wait before it go before, each `stagger` after the other. */
static int64_t staggered(const struct turn_order *order, const struct ledger_turn *turn,
                         const struct turn_place *own)
{
    int64_t within = most(turn->probe_ms, (int64_t)order->count * turn->stagger_ms) + ASKING_MS;

    return most(turn->now_ms, order->released_at + turn->stagger_ms) +
           (int64_t)count_before(order, turn, own, within) * turn->stagger_ms;
}

/* The account is not limited. `own`: the place in which the session waited, or NULL. */
static void ask_for_lease(struct turn_order *order, const struct ledger_turn *turn,
                          const struct turn_place *own, struct ledger_permission *permission)
{
    bool waited = own != NULL || order->recovering;
    size_t running = count_running(order, turn), before = count_before(order, turn, own, ASKING_MS);
    int64_t now = turn->now_ms, at;

    if (turn->cap > 0 && running + before >= turn->cap) {
        wait_for(order, turn, permission, LEDGER_FULL,
                 now + (running >= turn->cap ? FULL_AGAIN_MS : OLDER_AGAIN_MS));
        return;
    }
    at = waited ? staggered(order, turn, own) : now;
    if (at > now)
        wait_for(order, turn, permission, LEDGER_TURN, at);
    else
        go(order, turn, permission, waited);
}

void turn_order_ask(struct turn_order *order, const struct ledger_turn *turn,
                    struct ledger_permission *permission)
{
    struct turn_place *own;

    mend_times(order, turn);
    own = find(order, turn->session);
    if (own != NULL && !is_sane(order, turn, own)) {
        own->release_at = turn->now_ms;
        own->changed = true;
    }
    if (is_limited(order, turn))
        wait_for_reset(order, turn, permission);
    else if (own != NULL && !own->running && own->release_at > turn->now_ms)
        wait_for(order, turn, permission, LEDGER_TURN, own->release_at);
    else if (another_probes(order, turn))
        wait_for(order, turn, permission, LEDGER_PROBE, order->probe_at + turn->probe_ms);
    else if (own != NULL && own->running)
        go(order, turn, permission, false); /* it has its lease */
    else
        ask_for_lease(order, turn, own, permission);
}

/* Gives those who wait new places, in their order, the first as soon as it may be. */
static void space_places(struct turn_order *order, const struct ledger_turn *turn)
{
    struct turn_place **waiting = xcalloc(order->count + 1, sizeof *waiting);
    int64_t at = most(turn->now_ms, order->released_at + turn->stagger_ms);
    size_t count = 0;

    for (size_t i = 0; i < order->count; i++) {
        if (!order->places[i].running)
            waiting[count++] = &order->places[i];
    }
    qsort(waiting, count, sizeof(struct turn_place *), compare_places);
    for (size_t i = 0; i < count; i++) {
        waiting[i]->release_at = at + (int64_t)i * turn->stagger_ms;
        waiting[i]->changed = true;
    }
    free(waiting);
}

void turn_order_through(struct turn_order *order, const struct ledger_turn *turn)
{
    const struct turn_place *own;

    mend_times(order, turn);
    own = find(order, turn->session);
    /* No turn begins while the limit holds: this one began before, and its answer says nothing about the limit. */
    if (own != NULL && own->running && is_limited(order, turn))
        return;
    order->limited_since = order->limited_until = 0;
    order->recovering = false;
    order->probe[0] = '\0';
    order->probe_at = 0;
    space_places(order, turn);
}

void turn_order_refused(struct turn_order *order, const struct ledger_turn *turn, int64_t until_ms)
{
    int64_t before;

    mend_times(order, turn);
    before = order->limited_until;
    order->recovering = true;
    if (strcmp(order->probe, turn->session) == 0)
        order->probe[0] = '\0';
    if (until_ms <= turn->now_ms || until_ms > turn->now_ms + LIMIT_MAX_MS)
        return;
    /* Places keep their distance from the reset. */
    for (size_t i = 0; i < order->count && is_limited(order, turn); i++) {
        struct turn_place *place = &order->places[i];
        if (!place->running && place->release_at >= before) {
            place->release_at += until_ms - before;
            place->changed = true;
        }
    }
    if (!is_limited(order, turn) || order->limited_since == 0)
        order->limited_since = turn->now_ms;
    order->limited_until = until_ms;
    order->probe[0] = '\0';
    order->probe_at = 0;
}
