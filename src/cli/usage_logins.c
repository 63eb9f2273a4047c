#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/login.h"
#include "cli/usage.h"
#include "config/config.h"
#include "runner/account.h"

struct asked {
    struct account_environment *environments;
    struct login *logins;
    size_t *rows; /* of the list */
    size_t count;
};

/* A login out of a file or a program renews itself; it is not asked for here. */
static bool renews(const json_t *account)
{
    json_t *env = json_object_get(account, "env"), *value;
    const char *name;

    json_object_foreach(env, name, value)
    {
        if (json_is_object(value))
            return true;
    }
    return false;
}

static void add(struct asked *asked, const struct config *config, const json_t *row, size_t index)
{
    const char *key = json_member_string(row, "account", ""), *name = ledger_account_name(key);
    const json_t *account = name == NULL ? NULL : config_account(config, name);
    const char *agent = json_member_string(account, "agent", "");
    struct account_environment *environment = &asked->environments[asked->count];

    if (account == NULL || strncmp(key, agent, strlen(agent)) != 0 || renews(account))
        return;
    if (account_environment_init(environment, config, agent, name, NULL) < 0 ||
        account_check(environment, agent, name, NULL) < 0) {
        account_environment_finish(environment);
        return;
    }
    asked->logins[asked->count] = (struct login){.agent = agent, .environment = environment};
    asked->rows[asked->count++] = index;
}

static void ask(struct asked *asked, const struct config *config, json_t *list, json_t *left_out)
{
    int64_t now_ms = clock_realtime_ms();

    if (asked->count > 0)
        login_ask(asked->logins, asked->count, config, now_ms);
    for (size_t i = asked->count; i > 0; i--) {
        const json_t *row = json_array_get(list, asked->rows[i - 1]);
        if (strcmp(asked->logins[i - 1].state, "expired") == 0) {
            (void)json_array_append(left_out, json_object_get(row, "account"));
            (void)json_array_remove(list, asked->rows[i - 1]);
        }
        login_finish(&asked->logins[i - 1]);
        account_environment_finish(&asked->environments[i - 1]);
    }
}

void usage_leave_out(json_t *list, json_t *left_out)
{
    size_t count = json_array_size(list);
    struct config *config = config_load(NULL, NULL);
    struct asked asked = {xcalloc(count + 1, sizeof *asked.environments),
                          xcalloc(count + 1, sizeof *asked.logins), xcalloc(count + 1, sizeof *asked.rows),
                          0};

    for (size_t i = 0; i < count && config != NULL; i++)
        add(&asked, config, json_array_get(list, i), i);
    ask(&asked, config, list, left_out);
    free(asked.environments);
    free(asked.logins);
    free(asked.rows);
    config_destroy(config);
}
