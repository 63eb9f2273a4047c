#include <math.h>

#include "policy/budget.h"
#include "test.h"

static const struct {
    struct budget budget;
    int64_t tokens;
    double usd;
    enum budget_state state;
    double share;
} table[] = {
    {{0, 0}, 1000000, 1000, BUDGET_WITHIN, 0},
    {{1000, 0}, 0, 0, BUDGET_WITHIN, 0},
    {{1000, 0}, 799, 99, BUDGET_WITHIN, 0.799},
    {{1000, 0}, 800, 0, BUDGET_WARN, 0.8},
    {{1000, 0}, 999, 0, BUDGET_WARN, 0.999},
    {{1000, 0}, 1000, 0, BUDGET_SPENT, 1},
    {{1000, 0}, 5000, 0, BUDGET_SPENT, 5},
    {{0, 2}, 5000, 1, BUDGET_WITHIN, 0.5},
    {{0, 2}, 0, 1.6, BUDGET_WARN, 0.8},
    {{0, 2}, 0, 2, BUDGET_SPENT, 1},
    /* The larger of both. */
    {{1000, 2}, 500, 1.8, BUDGET_WARN, 0.9},
    {{1000, 2}, 1000, 0.1, BUDGET_SPENT, 1},
    /* Not known counts as nothing. */
    {{1000, 2}, -1, -1, BUDGET_WITHIN, 0},
    {{1000, 2}, -1, 1.7, BUDGET_WARN, 0.85},
    {{-5, -1}, 10, 10, BUDGET_WITHIN, 0},
    {{1000, 2}, 10, NAN, BUDGET_WITHIN, 0.01},
    {{NAN, 2}, 10, 1, BUDGET_WITHIN, 0.5},
};

TEST(each_use_has_its_state)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double share = -1;

        CHECK_NUMBER(budget_state(&table[i].budget, table[i].tokens, table[i].usd, &share), table[i].state);
        CHECK(fabs(share - table[i].share) < 1e-9);
        CHECK_NUMBER(budget_state(&table[i].budget, table[i].tokens, table[i].usd, NULL), table[i].state);
    }
}

TEST_MAIN
