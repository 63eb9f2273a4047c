/* Budgets in tokens and money: pure. */
#ifndef POLICY_BUDGET_H
#define POLICY_BUDGET_H

#include <stdint.h>

struct budget {
    double tokens, usd; /* 0: none */
};

enum budget_state { BUDGET_WITHIN, BUDGET_WARN, BUDGET_SPENT };

#define BUDGET_WARN_AT 0.8

/* Of what was used so far (below 0: not known, counts as nothing). `share`: the larger of both shares, 1 is all. */
enum budget_state budget_state(const struct budget *budget, int64_t tokens, double usd, double *share);

#endif
