#include "policy/budget.h"

#include <stddef.h>

static double share_of(double used, double budget)
{
    return budget > 0 && used > 0 ? used / budget : 0;
}

enum budget_state budget_state(const struct budget *budget, int64_t tokens, double usd, double *share)
{
    double of_tokens = share_of((double)tokens, budget->tokens), of_usd = share_of(usd, budget->usd);
    double larger = of_tokens > of_usd ? of_tokens : of_usd;

    if (share != NULL)
        *share = larger;
    if (larger >= 1)
        return BUDGET_SPENT;
    return larger >= BUDGET_WARN_AT ? BUDGET_WARN : BUDGET_WITHIN;
}
