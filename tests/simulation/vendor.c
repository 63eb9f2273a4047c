#include "tests/simulation/world.h"

/* Shares of the requests. */
#define UNTOLD 0.10 /* of the refusals: without a reset */
#define AFTER 0.3   /* of those: with a retry-after */
#define OVERLOADED 0.02
#define UNAUTHORIZED 0.003

static void roll(struct window *window)
{
    if (window->resets_at_ms > 0 && world->now_ms >= window->resets_at_ms) {
        window->used = 0;
        window->resets_at_ms = 0;
    }
}

static struct window *exhausted(struct account *account)
{
    for (size_t i = 0; i < 2; i++) {
        roll(&account->windows[i]);
        if (account->windows[i].used >= account->windows[i].allowed)
            return &account->windows[i];
    }
    return NULL;
}

int64_t vendor_usable_from(const struct account *account)
{
    int64_t from = 0;

    for (size_t i = 0; i < 2; i++) {
        const struct window *window = &account->windows[i];

        if (window->used >= window->allowed && window->resets_at_ms > from)
            from = window->resets_at_ms;
    }
    return from;
}

int64_t account_over_ms(const struct account *account)
{
    int64_t over = account->usable_from_ms;

    if (world->offset_ms < 0)
        over -= world->offset_ms; /* the machine's clock is slow */
    return over > world->awake_ms ? over : world->awake_ms;
}

static void pay(struct account *account, int64_t tokens)
{
    for (size_t i = 0; i < 2; i++) {
        struct window *window = &account->windows[i];

        roll(window);
        if (window->resets_at_ms == 0)
            window->resets_at_ms = world->now_ms + window->length_ms;
        window->used += tokens;
        if (window->used >= window->allowed && window->used - tokens < window->allowed)
            account->limits++;
    }
    if (vendor_usable_from(account) > account->usable_from_ms) {
        account->usable_from_ms = vendor_usable_from(account);
        account->exhausted = true;
    }
}

static struct reply refuse(struct session *session, struct account *account, const struct window *window)
{
    struct reply reply = {VERDICT_LIMITED, window->resets_at_ms, 0};

    world->figures.limited++;
    if (++account->refused_in_a_row > account->refused_in_a_row_max)
        account->refused_in_a_row_max = account->refused_in_a_row;
    if (draw(&session->random) < UNTOLD) {
        world->figures.limited_untold++;
        account->disturbed_ms = world->now_ms;
        reply.reset_ms = 0;
        reply.after_ms = draw(&session->random) < AFTER ? draw_between(&session->random, 5, 90) * 1000 : 0;
    }
    return reply;
}

static struct reply accept(struct session *session, struct account *account)
{
    unsigned char *count = &session->accepted[session->prompt][session->step];

    account->refused_in_a_row = 0;
    if (*count < 255)
        ++*count;
    world->figures.accepted++;
    pay(account, draw_between(&session->random, 20, 180) * 1000);
    return (struct reply){VERDICT_ACCEPTED, 0, 0};
}

static struct reply answer(struct session *session, struct account *account)
{
    const struct window *window = exhausted(account);
    double kind = draw(&session->random);

    world->figures.requests++;
    if (window != NULL)
        return refuse(session, account, window);
    if (kind < OVERLOADED) {
        world->figures.overloaded++;
        return (struct reply){VERDICT_OVERLOADED, 0, 0};
    }
    if (kind < OVERLOADED + UNAUTHORIZED) {
        world->figures.unauthorized++;
        return (struct reply){VERDICT_UNAUTHORIZED, 0, 0};
    }
    return accept(session, account);
}

struct reply vendor_request(struct session *session)
{
    struct reply reply;

    world_lock();
    reply = answer(session, &world->accounts[session->account]);
    world_unlock();
    return reply;
}
