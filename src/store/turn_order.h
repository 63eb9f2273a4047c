/*
 * In which order the sessions of one account go: pure arithmetic over what the ledger holds of the account. The rules:
 *
 * - While the account is limited, a session that asks gets a place: the reset and its jitter, or `stagger` after the last place
 *   that is reserved, whichever is later. A place before the present reset, or far behind any that could be, counts for nothing.
 * - After a limit one session goes first, the probe; the others wait for word from it, or for probe_ms.
 * - No more turns than the cap; a lease that is free goes to who has waited longest and still asks.
 * - Between two sessions that had waited there is `stagger`; those that find the account in order go at once.
 * - No step of the clock holds anybody for longer than the limit was to last when it was noted.
 */
#ifndef STORE_TURN_ORDER_H
#define STORE_TURN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/ledger.h"

#define TURN_SESSION_SIZE 64

/* A session at the account: with a turn (a lease), or waiting for one. */
struct turn_place {
    char session[TURN_SESSION_SIZE];
    bool running;
    int64_t release_at; /* waiting: not before; the moment it came when no time was reserved */
    int64_t since, asked;
    bool changed; /* to be stored */
};

/* An account, as in the table, with its living sessions. */
struct turn_order {
    int64_t limited_since, limited_until;
    bool recovering;
    char probe[TURN_SESSION_SIZE]; /* "": none */
    int64_t probe_at, released_at;
    struct turn_place *places; /* room for one more */
    size_t count;
};

/* What comes of ledger_turn_ask. */
void turn_order_ask(struct turn_order *order, const struct ledger_turn *turn,
                    struct ledger_permission *permission);
/* What comes of ledger_turn_through: nothing, for a turn that began before the limit was noted. */
void turn_order_through(struct turn_order *order, const struct ledger_turn *turn);
/* What comes of ledger_turn_refused but the end of the session's lease, whose place is no more in `places`. */
void turn_order_refused(struct turn_order *order, const struct ledger_turn *turn, int64_t until_ms);

#endif
