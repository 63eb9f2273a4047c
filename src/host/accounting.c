#include "host/accounting.h"

#include <stdlib.h>
#include <string.h>

#include "agent/prices.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "host/ledger_link.h"
#include "host/permit.h"
#include "host/usage_import.h"

#define KEPT "usage_folder"
#define LATE_NS 1000000000 /* agents write the end of a turn a little after they report it */

/* ---- windows ---- */

struct seen_window {
    struct ledger_window window;
    char *account, *name;
};

static void free_window(void *argument)
{
    struct seen_window *seen = argument;

    free(seen->account);
    free(seen->name);
    free(seen);
}

static int window_work(struct ledger *ledger, void *argument, struct error *error)
{
    struct seen_window *seen = argument;

    return ledger_window_put(ledger, &seen->window, seen->window.observed_at_ms, error);
}

void accounting_limit(struct host *host, enum evidence_source source, const struct observation *observation)
{
    char *account = permit_account(host);
    int64_t now = clock_realtime_ms();
    struct seen_window *seen;

    if (account == NULL || observation->name == NULL ||
        (observation->percent < 0 && observation->until_ms == 0)) {
        free(account);
        return;
    }
    seen = xcalloc(1, sizeof *seen);
    seen->account = account;
    seen->name = xstrdup(observation->name);
    seen->window =
        (struct ledger_window){.account = seen->account,
                               .window = seen->name,
                               .percent = observation->percent,
                               .resets_at_ms = observation->until_ms,
                               .observed_at_ms = observation->at_ms != 0 ? observation->at_ms : now,
                               .source = evidence_source_name(source)};
    if (!ledger_window_normalise(&seen->window, now)) {
        free_window(seen);
        return;
    }
    ledger_do(host, &(struct ledger_task){
                        .work = window_work, .argument = seen, .free = free_window, .keep = true});
}

/* ---- usage ---- */

struct reading {
    char *folder, *conversation, *account, *prices;
    char session[UUID_SIZE];
    struct usage_import what;
};

static void free_reading(void *argument)
{
    struct reading *reading = argument;

    free(reading->folder);
    free(reading->conversation);
    free(reading->account);
    free(reading->prices);
    free(reading);
}

/* An account whose agent tells limit windows is a subscription. */
static bool has_windows(struct ledger *ledger, const char *account)
{
    json_t *limits = ledger_limits(ledger, clock_realtime_ms(), NULL), *entry;
    bool found = false;
    size_t index;

    json_array_foreach(limits, index, entry)
    {
        if (strcmp(json_member_string(entry, "key", ""), account) == 0)
            found = json_array_size(json_object_get(entry, "windows")) > 0;
    }
    json_decref(limits);
    return found;
}

static int usage_work(struct ledger *ledger, void *argument, struct error *error)
{
    struct reading *reading = argument;
    struct prices *prices = prices_load(reading->prices, NULL);
    int result;

    reading->what.prices = prices;
    reading->what.subscription = has_windows(ledger, reading->account);
    result = usage_import_conversation(&reading->what, ledger, error);
    prices_destroy(prices);
    /* Who shows windows and usage looks once for each turn. */
    if (result == 0)
        ledger_notify(ledger);
    return result;
}

static char *prices_path(void)
{
    char *folder = path_config_dir(NULL), *path = folder == NULL ? NULL : path_join(folder, "prices.json");

    free(folder);
    return path;
}

static void read_usage(struct host *host)
{
    const char *folder = json_string_value(session_kept(&host->session, KEPT));
    const char *conversation = json_member_string(host->session.object, "agent_session_id", NULL);
    struct reading *reading;

    if (folder == NULL || conversation == NULL)
        return;
    reading = xcalloc(1, sizeof *reading);
    reading->folder = xstrdup(folder);
    reading->conversation = xstrdup(conversation);
    reading->account = permit_account(host);
    reading->prices = prices_path();
    (void)strlcpy(reading->session, host->uuid, sizeof reading->session);
    reading->what = (struct usage_import){.agent = host->driver->name,
                                          .folder = reading->folder,
                                          .conversation = reading->conversation,
                                          .session = reading->session,
                                          .attempt = host->attempt.number,
                                          .account = reading->account};
    ledger_do(host, &(struct ledger_task){
                        .work = usage_work, .argument = reading, .free = free_reading, .keep = false});
}

static void late(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    read_usage(argument);
}

void accounting_usage(struct host *host)
{
    read_usage(host);
    host_timer(host->usage_late, LATE_NS);
}

void accounting_begin(struct host *host, const char *(*variable)(void *argument, const char *name),
                      void *argument)
{
    char *folder = usage_import_folder(host->driver->name, variable, argument);

    session_keep(host, KEPT, json_string_or_null(folder));
    free(folder);
}

void accounting_init(struct host *host)
{
    host->usage_late = evtimer_new(host->loop, late, host);
}

void accounting_finish(struct host *host)
{
    event_free(host->usage_late);
}
