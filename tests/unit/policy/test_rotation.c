#include <math.h>

#include "policy/rotation.h"
#include "test.h"

#define NOW 1000000

static const struct {
    struct rotation_account accounts[4];
    size_t count;
    int current, least_used, in_order;
} table[] = {
    {{{0}}, 0, -1, -1, -1},
    {{{"a", 0, 0, 10, false}}, 1, -1, 0, 0},
    {{{"a", 0, 0, 10, false}}, 1, 0, -1, -1},
    /* Left out: in use, limited, unusable. */
    {{{"a", 0, 0, 0, false}, {"b", 0, NOW + 1, 0, false}, {"c", 0, 0, 0, true}, {"d", 0, 0, 99, false}},
     4,
     0,
     3,
     3},
    {{{"a", 0, 0, 0, false}, {"b", 0, NOW + 1, 0, false}, {"c", 0, 0, 0, true}}, 3, 0, -1, -1},
    /* A limit that ends at this moment is over. */
    {{{"a", 0, 0, 0, false}, {"b", 0, NOW, 0, false}}, 2, 0, 1, 1},
    /* The least used, or the first by name. */
    {{{"b", 0, 0, 20, false}, {"a", 0, 0, 30, false}, {"c", 0, 0, 10, false}}, 3, -1, 2, 1},
    /* The same use: by name. */
    {{{"b", 0, 0, 20, false}, {"a", 0, 0, 20, false}}, 2, -1, 1, 1},
    /* A higher priority before all. */
    {{{"a", 0, 0, 0, false}, {"b", 5, 0, 90, false}, {"c", -5, 0, 0, false}}, 3, -1, 1, 1},
    {{{"a", -1, 0, 0, false}, {"b", 5, 0, 90, false}}, 2, 1, 0, 0},
    /* Not known is half used. */
    {{{"a", 0, 0, -1, false}, {"b", 0, 0, 49, false}}, 2, -1, 1, 0},
    {{{"b", 0, 0, -1, false}, {"a", 0, 0, 51, false}}, 2, -1, 0, 1},
    {{{"b", 0, 0, NAN, false}, {"a", 0, 0, 51, false}}, 2, -1, 0, 1},
    {{{"b", 0, 0, -1, false}, {"a", 0, 0, -1, false}}, 2, -1, 1, 1},
    /* The agent's own login is first by name. */
    {{{"a", 0, 0, 10, false}, {NULL, 0, 0, 10, false}}, 2, -1, 1, 1},
    {{{NULL, 0, 0, 60, false}, {"a", 0, 0, -1, false}}, 2, -1, 1, 0},
};

TEST(each_set_of_accounts_has_its_choice)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        CHECK_NUMBER(
            rotation_choose(table[i].accounts, table[i].count, table[i].current, ROTATE_LEAST_USED, NOW),
            table[i].least_used);
        CHECK_NUMBER(
            rotation_choose(table[i].accounts, table[i].count, table[i].current, ROTATE_IN_ORDER, NOW),
            table[i].in_order);
    }
}

TEST(policies_by_name)
{
    CHECK_NUMBER(rotation_policy_parse("off"), ROTATE_OFF);
    CHECK_NUMBER(rotation_policy_parse("ask"), ROTATE_ASK);
    CHECK_NUMBER(rotation_policy_parse("auto"), ROTATE_AUTO);
    CHECK_NUMBER(rotation_policy_parse("true"), ROTATE_AUTO);
    CHECK_NUMBER(rotation_policy_parse("false"), ROTATE_OFF);
    CHECK_NUMBER(rotation_policy_parse("AUTO"), ROTATE_OFF);
    CHECK_NUMBER(rotation_policy_parse(""), ROTATE_OFF);
    CHECK_NUMBER(rotation_policy_parse(NULL), ROTATE_OFF);
}

TEST_MAIN
