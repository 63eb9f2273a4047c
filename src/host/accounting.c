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
#define AGAIN_NS 10000000000 /* after the ledger could not be written */
#define LATE_NS 1000000000   /* agents write the end of a turn a little after they report it */

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
    json_t *sum; /* of the session, afterwards */
};

static void free_reading(void *argument)
{
    struct reading *reading = argument;

    free(reading->folder);
    free(reading->conversation);
    free(reading->account);
    free(reading->prices);
    json_decref(reading->sum);
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
    if (result < 0)
        return -1;
    reading->sum = ledger_usage_sum(
        ledger, &(struct ledger_usage_query){.by = USAGE_BY_SESSION, .session = reading->session}, NULL);
    /* Who shows windows and usage looks once for each turn. */
    ledger_notify(ledger);
    return 0;
}

/* What the agent does not report is what its answers cost at list prices. */
static void usage_read(struct host *host, void *argument, int result)
{
    const struct reading *reading = argument;
    const json_t *sum = json_array_get(reading->sum, 0), *cost = json_object_get(sum, "cost_usd");
    json_t *usage = json_object_get(host->session.object, "usage");

    if (result < 0)
        host_timer(host->usage_late, AGAIN_NS);
    if (result < 0 || !json_is_number(cost) || !json_is_object(usage) ||
        strcmp(json_member_string(usage, "cost_basis", ""), "reported") == 0 ||
        json_equal(cost, json_object_get(usage, "cost_usd")))
        return;
    usage = json_copy(usage);
    (void)json_object_set_new(usage, "cost_usd", json_real(json_number_value(cost)));
    (void)json_object_set(usage, "cost_basis", json_object_get(sum, "cost_basis"));
    session_set(host, "usage", usage);
    session_changed(host, false);
    (void)events_emit(host, "usage",
                      json_pack("{sO sO?}", "usage", usage, "context_pct",
                                json_object_get(host->session.object, "context_pct")));
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
    ledger_do(host, &(struct ledger_task){.work = usage_work,
                                          .done = usage_read,
                                          .argument = reading,
                                          .free = free_reading,
                                          .keep = false});
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
