/*
 * Which account a new attempt goes to: pure. Among the accounts of the agent those that are limited or cannot log in are left
 * out; a higher priority goes first, then the one whose fullest window is least used, then the order of the names. What is not
 * known counts as half used.
 */
#ifndef POLICY_ROTATION_H
#define POLICY_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rotation_policy { ROTATE_OFF, ROTATE_ASK, ROTATE_AUTO };
enum rotation_order { ROTATE_LEAST_USED, ROTATE_IN_ORDER };

struct rotation_account {
    const char *name; /* NULL: the agent's own login */
    int priority;
    int64_t limited_until_ms; /* 0: not limited */
    double percent;           /* of its fullest window; below 0: not known */
    bool unusable;            /* logged out, its directory is gone */
};

/* The index of the best, or -1 when none can be used. `current`: index of the one in use, left out; -1: none. */
int rotation_choose(const struct rotation_account *accounts, size_t count, int current,
                    enum rotation_order order, int64_t now_ms);
/* "off", "ask", "auto" (also a boolean of older files: false is off, true is auto); ROTATE_OFF when unknown. */
enum rotation_policy rotation_policy_parse(const char *word);

#endif
