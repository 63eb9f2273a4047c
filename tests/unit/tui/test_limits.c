#include "tui/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "test.h"
#include "tui/panel_accounts.h"

static int64_t at(const char *text)
{
    int64_t time = 0;

    return clock_parse_rfc3339(text, &time) == 0 ? time : -1;
}

static void take(struct limits *limits, const char *list_text, const char *usage_text, int64_t now_ms)
{
    json_t *list = json_loads(list_text, 0, NULL), *usage = json_loads(usage_text, 0, NULL);

    CHECK(list != NULL && usage != NULL);
    limits_take(limits, list, usage, now_ms);
    json_decref(list);
    json_decref(usage);
}

#define NOW "2026-11-21T09:00:00.000Z"

TEST(accounts)
{
    struct limits limits = {0};

    take(&limits,
         "[{\"key\": \"claude/work\", \"limited_until\": \"2026-11-21T10:00:00.000Z\", \"waiting\": 2, "
         "\"running\": 1, \"windows\": ["
         "{\"window\": \"five_hour\", \"percent\": 50, \"resets_at\": \"2026-11-21T10:00:00.000Z\", "
         "\"burn_pct_per_h\": 12},"
         "{\"window\": \"seven_day_opus\", \"percent\": null, \"resets_at\": null, \"stale\": true}]},"
         "{\"key\": \"codex/\", \"windows\": []}]",
         "[{\"account\": \"claude/work\", \"cost_usd\": 1, \"cost_basis\": \"reported\"},"
         " {\"account\": \"claude/work\", \"cost_usd\": 2, \"cost_basis\": \"computed\"},"
         " {\"account\": \"codex/\", \"cost_usd\": null}, {\"account\": \"gemini/\", \"cost_usd\": 0.5, "
         "\"cost_basis\": \"reported\"}]",
         at(NOW));
    CHECK_NUMBER(limits.count, 2);
    CHECK_STRING(limits.accounts[0].key, "claude/work");
    CHECK(limits_reached(&limits.accounts[0], at(NOW)));
    CHECK(!limits_reached(&limits.accounts[0], at("2026-11-21T10:00:00.000Z")));
    CHECK(limits.accounts[0].cost_usd > 2.9 && limits.accounts[0].cost_estimated);
    CHECK_NUMBER(limits.accounts[0].waiting, 2);
    CHECK_STRING(limits.accounts[0].windows[0].name, "5h");
    CHECK_STRING(limits.accounts[0].windows[1].name, "7d opus");
    CHECK(limits.accounts[0].windows[1].percent < 0 && limits.accounts[0].windows[1].stale);
    CHECK_STRING(limits.accounts[1].key, "gemini");
    CHECK(!limits.accounts[1].cost_estimated);
    limits_clear(&limits);
}

TEST(windows_end)
{
    struct limits limits = {0};
    int64_t after = at("2026-11-21T10:00:00.000Z");

    take(&limits,
         "[{\"key\": \"a/b\", \"windows\": [{\"window\": \"5h\", \"percent\": 90, \"resets_at\": "
         "\"2026-11-21T10:00:00.000Z\"},"
         "{\"window\": \"weekly\", \"percent\": 20, \"resets_at\": \"2026-11-25T10:00:00.000Z\", "
         "\"burn_pct_per_h\": 1}]}]",
         "[]", at(NOW));
    CHECK_STRING(limits_fullest(&limits.accounts[0], at(NOW))->name, "5h");
    CHECK_STRING(limits_fullest(&limits.accounts[0], after)->name, "7d");
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_NONE, at(NOW)), 0);
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_FULLEST, at(NOW)), 2);
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_WINDOWS, at(NOW)), 4);
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_RATES, at(NOW)), 5);
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_WINDOWS, after), 3);
    CHECK(panel_accounts_run(&limits, after));
    CHECK(!panel_accounts_run(&limits, at("2026-11-26T10:00:00.000Z")));
    limits_clear(&limits);
}

TEST(hostile_values)
{
    struct limits limits = {0};

    take(&limits,
         "[7, null, {}, {\"key\": 3, \"waiting\": 1, \"windows\": [7, {}, {\"window\": \"a\\nb\\u001b_c\", "
         "\"percent\": \"x\"}]}]",
         "[null, {\"account\": \"\", \"cost_usd\": 3}, {\"account\": \"x/\", \"cost_usd\": -4}]", at(NOW));
    CHECK_NUMBER(limits.count, 1);
    CHECK_NUMBER(limits.accounts[0].window_count, 3);
    CHECK_STRING(limits.accounts[0].windows[2].name, "a b  c");
    CHECK(limits_fullest(&limits.accounts[0], at(NOW)) != NULL);
    limits_take(&limits, NULL, NULL, at(NOW));
    CHECK_NUMBER(limits.count, 0);
    CHECK_NUMBER(panel_accounts_rows(&limits, ACCOUNTS_RATES, at(NOW)), 0);
    limits_clear(&limits);
}

TEST_MAIN
