#include "agent/error_class.h"

#include "tests/unit/test.h"

TEST(what_has_to_be_paid_is_no_limit)
{
    CHECK_STRING(error_class_refine("rate_limit", "Quota exceeded. Check your plan and billing details."),
                 "billing");
    CHECK_STRING(error_class_refine("rate_limit", "Your credits are used up."), "billing");
    CHECK_STRING(error_class_refine("rate_limit",
                                    "You\u2019ve hit your usage limit. Visit us to purchase more credits or "
                                    "try again at 4:25 AM."),
                 "rate_limit");
    CHECK_STRING(error_class_refine("overloaded", "Your credits are used up."), "overloaded");
    CHECK_STRING(error_class_refine("rate_limit", "rate limit exceeded: the engine is currently overloaded"),
                 "overloaded");
    CHECK_STRING(error_class_refine("rate_limit", NULL), "rate_limit");
    CHECK(error_class_refine(NULL, "insufficient_quota") == NULL);
}

TEST_MAIN
