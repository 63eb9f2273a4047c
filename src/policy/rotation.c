#include "policy/rotation.h"

#include <string.h>

#define PERCENT_UNKNOWN 50.0

static double used(const struct rotation_account *account)
{
    /* Also what is not a number is not known. */
    return account->percent >= 0 ? account->percent : PERCENT_UNKNOWN;
}

static bool usable(const struct rotation_account *account, int64_t now_ms)
{
    return !account->unusable && account->limited_until_ms <= now_ms;
}

static bool before(const struct rotation_account *a, const struct rotation_account *b,
                   enum rotation_order order)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    if (order == ROTATE_LEAST_USED && (used(a) < used(b) || used(a) > used(b)))
        return used(a) < used(b);
    return strcmp(a->name != NULL ? a->name : "", b->name != NULL ? b->name : "") < 0;
}

int rotation_choose(const struct rotation_account *accounts, size_t count, int current,
                    enum rotation_order order, int64_t now_ms)
{
    int best = -1;

    for (int i = 0; i < (int)count; i++) {
        if (i == current || !usable(&accounts[i], now_ms))
            continue;
        if (best < 0 || before(&accounts[i], &accounts[best], order))
            best = i;
    }
    return best;
}

enum rotation_policy rotation_policy_parse(const char *word)
{
    if (word == NULL)
        return ROTATE_OFF;
    if (strcmp(word, "auto") == 0 || strcmp(word, "true") == 0)
        return ROTATE_AUTO;
    return strcmp(word, "ask") == 0 ? ROTATE_ASK : ROTATE_OFF;
}
