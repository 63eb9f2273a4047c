#include "host/rotating.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "host/carry.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/ledger_link.h"
#include "policy/rotation.h"
#include "runner/account.h"

#define ACCOUNTS_MAX 64

/* ---- choosing ---- */

struct choice {
    const struct config *config;
    const char *agent;
    char *current; /* name, or NULL */
    struct rotation_account accounts[ACCOUNTS_MAX];
    size_t count;
    enum rotation_order order;
    int64_t now_ms;
    int chosen;
};

static void free_choice(void *argument)
{
    struct choice *choice = argument;

    free(choice->current);
    free(choice);
}

static void add_account(struct choice *choice, const char *name, int priority)
{
    if (choice->count < ACCOUNTS_MAX)
        choice->accounts[choice->count++] =
            (struct rotation_account){.name = name, .priority = priority, .percent = -1};
}

static struct choice *gather(const struct host *host)
{
    const char *current = json_member_string(host->session.object, "account", NULL), *name;
    struct choice *choice = xcalloc(1, sizeof *choice);
    json_t *account;

    *choice = (struct choice){.config = host->config,
                              .agent = host->driver->name,
                              .current = current == NULL ? NULL : xstrdup(current),
                              .now_ms = clock_realtime_ms(),
                              .chosen = -1};
    if (strcmp(config_string(host->config, "retry.rotate_order"), "in_order") == 0)
        choice->order = ROTATE_IN_ORDER;
    json_object_foreach((json_t *)(uintptr_t)config_accounts(host->config), name, account)
    {
        if (strcmp(json_member_string(account, "agent", ""), choice->agent) == 0)
            add_account(choice, name, (int)json_member_integer(account, "priority", 0));
    }
    return choice;
}

/* Its directory is there. */
static bool is_there(const struct choice *choice, const char *account)
{
    struct account_environment environment;
    bool there = account_environment_init(&environment, choice->config, choice->agent, account, NULL) == 0 &&
                 account_check(&environment, choice->agent, account, NULL) == 0;

    account_environment_finish(&environment);
    return there;
}

static double fullest(const json_t *windows)
{
    double percent = -1;
    size_t index;
    json_t *window;

    json_array_foreach(windows, index, window)
    {
        double used = json_member_number(window, "percent", -1);
        if (used > percent)
            percent = used;
    }
    return percent;
}

static void fill(struct rotation_account *account, const json_t *limits, const char *key)
{
    size_t index;
    json_t *entry;

    json_array_foreach(limits, index, entry)
    {
        if (strcmp(json_member_string(entry, "key", ""), key) != 0)
            continue;
        account->percent = fullest(json_object_get(entry, "windows"));
        if (clock_parse_rfc3339(json_member_string(entry, "limited_until", ""), &account->limited_until_ms) <
            0)
            account->limited_until_ms = 0;
    }
}

static int choose_work(struct ledger *ledger, void *argument, struct error *error)
{
    struct choice *choice = argument;
    json_t *limits = ledger_limits(ledger, choice->now_ms, error);
    int current = -1;

    if (limits == NULL)
        return -1;
    for (size_t i = 0; i < choice->count; i++) {
        struct rotation_account *account = &choice->accounts[i];
        char *key = ledger_account_key(choice->agent, account->name);
        fill(account, limits, key);
        free(key);
        if (choice->current != NULL && strcmp(choice->current, account->name) == 0)
            current = (int)i;
        account->unusable = !is_there(choice, account->name);
    }
    json_decref(limits);
    choice->chosen = rotation_choose(choice->accounts, choice->count, current, choice->order, choice->now_ms);
    return 0;
}

static enum rotation_policy policy(const struct host *host)
{
    const json_t *value = config_value(host->config, "retry.rotate");

    return json_is_boolean(value) ? (json_is_true(value) ? ROTATE_AUTO : ROTATE_OFF)
                                  : rotation_policy_parse(json_string_value(value));
}

static void chosen(struct host *host, void *argument, int result)
{
    const struct choice *choice = argument;
    const char *name = result == 0 && choice->chosen >= 0 ? choice->accounts[choice->chosen].name : NULL;

    /* Somebody decided otherwise meanwhile. */
    if (!host->retrying.rotating)
        return;
    host->retrying.rotating = false;
    if (name == NULL || policy(host) == ROTATE_ASK) {
        host->permit.account_offered = name != NULL;
        retrying_go_on(host, 0, "the account is at its limit");
        return;
    }
    session_set(host, "account", json_string(name));
    session_changed(host, true);
    retrying_elsewhere(host);
}

bool rotating_switch(struct host *host)
{
    host->permit.account_offered = false;
    if (policy(host) == ROTATE_OFF || json_object_size(config_accounts(host->config)) == 0)
        return false;
    host->retrying.rotating = true;
    ledger_do(host, &(struct ledger_task){
                        .work = choose_work, .done = chosen, .argument = gather(host), .free = free_choice});
    return true;
}

/* ---- carrying ---- */

static char *directory_of(const struct host *host, const char *account, struct error *error)
{
    struct account_environment environment;
    char *directory = NULL;

    if (account_environment_init(&environment, host->config, host->driver->name, account, error) == 0)
        directory = account_directory(&environment, host->driver->name);
    account_environment_finish(&environment);
    return directory;
}

static bool carry(struct host *host, const char *from, const char *to, struct error *error)
{
    const char *id = json_member_string(host->session.object, "agent_session_id", NULL);
    char *source = directory_of(host, from, error), *target = directory_of(host, to, error);
    bool carried = false;

    if (id == NULL || !json_is_true(session_kept(&host->session, "conversed")))
        (void)error_set(error, "there is no conversation yet");
    else if (source == NULL || target == NULL)
        (void)error_set(error, "it is not known where %s keeps its conversations", host->driver->name);
    else
        carried = carry_conversation(host->driver, source, target, id,
                                     json_member_string(host->session.object, "cwd", "/"), error) == 0;
    free(source);
    free(target);
    return carried;
}

bool rotating_carry(struct host *host)
{
    const json_t *kept = session_kept(&host->session, "account_before");
    const char *before = json_string_value(kept);
    const char *account = json_member_string(host->session.object, "account", NULL);
    struct error error = {.text = ""};
    bool carried = true;

    if (kept != NULL && strcmp(before == NULL ? "" : before, account == NULL ? "" : account) != 0) {
        carried = carry(host, before, account, &error);
        (void)events_emit(host, "account_switched",
                          json_pack("{so so sb so}", "from", json_string_or_null(before), "to",
                                    json_string_or_null(account), "carried", carried, "message",
                                    json_string_or_null(carried ? NULL : error.text)));
    }
    session_keep(host, "account_before", json_string_or_null(account));
    return carried;
}
