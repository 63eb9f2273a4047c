#include "host/permit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "host/ledger_link.h"
#include "host/permit_ask.h"
#include "host/wall_timer.h"
#include "policy/retry.h"

#define AGAIN_MIN_MS 20 /* hosts that hear of the same change ask one after another */
#define AGAIN_SPREAD_MS 180
#define LIMIT_SPREAD_MS 3000 /* a limit that ends early is heard of a little later */

static const char *const kinds[] = {
    [HOLD_NONE] = "",   [HOLD_LIMIT] = "limit",     [HOLD_ORDER] = "order",     [HOLD_PROBE] = "probe",
    [HOLD_CAP] = "cap", [HOLD_BACKOFF] = "backoff", [HOLD_ACCOUNT] = "account", [HOLD_BUDGET] = "budget",
};

char *permit_account(const struct host *host)
{
    if (strcmp(host->driver->name, "command") == 0)
        return NULL;
    return ledger_account_key(host->driver->name, json_member_string(host->session.object, "account", NULL));
}

/* Reading waits for nobody: it is done at once, so that a prompt goes without delay where nothing is noted. */
static bool account_free(const struct host *host, const char *key)
{
    struct ledger *ledger = ledger_open(host->state_dir, LEDGER_READ, NULL);
    bool is_free = ledger == NULL || ledger_turn_free(ledger, key);

    ledger_close(ledger);
    return is_free;
}

const char *permit_held(const struct host *host)
{
    return kinds[host->permit.held];
}

/* ---- what is shown ---- */

static bool rests(enum phase phase)
{
    return phase == PHASE_IDLE || phase == PHASE_UNKNOWN || phase == PHASE_LIMITED ||
           phase == PHASE_RETRYING || phase == PHASE_INITIALIZING;
}

/* A failed turn goes on, and what for it has to wait is not known yet, or over. */
static enum phase going_on(const struct host *host, enum phase phase)
{
    enum phase reported = host->activity.reported;

    if (host->permit.passing && (reported == PHASE_LIMITED || reported == PHASE_RETRYING))
        return reported;
    if (host->retrying.turn == 0 || host->activity.turn.open ||
        (host->delivery.queue.waiting_count == 0 && !host->retrying.rotating && host->login_check == NULL))
        return phase;
    return strcmp(host->retrying.failure.class, "rate_limit") == 0 ? PHASE_LIMITED : PHASE_RETRYING;
}

enum phase permit_phase(const struct host *host, enum phase phase)
{
    if (!rests(phase) && !(host->retrying.respawn && phase_is_end(phase)))
        return phase;
    if (host->permit.held == HOLD_NONE)
        return going_on(host, phase);
    if (host->permit.held == HOLD_BUDGET)
        return phase;
    return host->permit.held == HOLD_BACKOFF ? PHASE_RETRYING : PHASE_LIMITED;
}

static void show(struct host *host)
{
    const struct permit *permit = &host->permit;
    json_t *waiting = json_null();

    if (permit->held != HOLD_NONE)
        waiting =
            json_pack("{ss so so so}", "for", kinds[permit->held], "account",
                      json_string_or_null(json_member_string(host->session.object, "account", NULL)), "until",
                      json_time_or_null(permit->until_ms), "reason", json_string_or_null(permit->reason));
    session_set(host, "waiting", waiting);
    session_changed(host, true);
    activity_tell(host);
}

/* ---- waiting ---- */

static void ask(struct host *host);

static void timer_fired(void *argument)
{
    ask(argument);
}

static void news_came(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    char events[1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    uint32_t spread;
    int64_t again;

    (void)what;
    while (read(descriptor, events, sizeof events) > 0)
        continue;
    if (host->permit.state != PERMIT_WAITING || host->permit.held == HOLD_BACKOFF)
        return;
    spread = host->permit.held == HOLD_LIMIT || host->permit.held == HOLD_ACCOUNT ? LIMIT_SPREAD_MS
                                                                                  : AGAIN_SPREAD_MS;
    again = clock_realtime_ms() + AGAIN_MIN_MS + (int64_t)arc4random_uniform(spread);
    /* The timer is set to what comes first. */
    if (again >= host->permit.asks_ms)
        return;
    host->permit.asks_ms = again;
    wall_timer_set(host->permit.timer, again);
}

static void watch(struct host *host)
{
    struct permit *permit = &host->permit;
    char *path;

    if (permit->notify >= 0)
        return;
    permit->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (permit->notify < 0)
        return;
    path = path_join(host->state_dir, LEDGER_NOTIFY);
    if (inotify_add_watch(permit->notify, path, IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE) < 0)
        log_note("changes of the ledger cannot be watched: the session looks again at the times it was told");
    free(path);
    permit->news = event_new(host->loop, permit->notify, EV_READ | EV_PERSIST, news_came, host);
    event_add(permit->news, NULL);
}

static void unwatch(struct permit *permit)
{
    if (permit->notify < 0)
        return;
    event_free(permit->news);
    close(permit->notify);
    permit->notify = -1;
    permit->news = NULL;
}

static void wait_until(struct host *host, enum hold_kind kind, int64_t until_ms, int64_t again_ms,
                       const char *reason)
{
    struct permit *permit = &host->permit;
    bool changed = permit->held != kind || permit->until_ms != until_ms;

    permit->state = PERMIT_WAITING;
    permit->held = kind;
    permit->until_ms = until_ms;
    if (strcmp(permit->reason, reason) != 0)
        (void)strlcpy(permit->reason, reason, sizeof permit->reason);
    permit->asks_ms = again_ms;
    wall_timer_set(permit->timer, again_ms);
    if (kind != HOLD_BACKOFF)
        watch(host);
    if (changed)
        show(host);
}

static void rest(struct host *host, enum permit_state state)
{
    struct permit *permit = &host->permit;
    bool shown = permit->held != HOLD_NONE;

    permit->state = state;
    permit->held = HOLD_NONE;
    permit->until_ms = 0;
    wall_timer_stop(permit->timer);
    unwatch(permit);
    if (shown)
        show(host);
}

/* ---- asking ---- */

static void granted(struct host *host)
{
    host->permit.passing = host->permit.held != HOLD_NONE && host->permit.held != HOLD_BUDGET;
    rest(host, PERMIT_GRANTED);
    host->permit.not_before_ms = 0;
    host->permit.through = false;
    delivery_consider(host);
}

static void warn_of_budget(struct host *host, const struct permit_ask *asked)
{
    struct permit *permit = &host->permit;

    if (permit->warned_day_ms != asked->day_ms) {
        permit->warned &= 1u << BUDGET_OF_SESSION;
        permit->warned_day_ms = asked->day_ms;
    }
    for (unsigned i = 0; i < BUDGETS; i++) {
        if (asked->budgets[i].state == BUDGET_WITHIN || (permit->warned & 1u << i) != 0)
            continue;
        permit->warned |= 1u << i;
        host_warn(host, "budget", "%s", asked->budgets[i].text);
    }
}

static void answered(struct host *host, void *argument, int result)
{
    static const enum hold_kind holds[] = {
        [LEDGER_GO] = HOLD_NONE,     [LEDGER_LIMITED] = HOLD_LIMIT, [LEDGER_TURN] = HOLD_ORDER,
        [LEDGER_PROBE] = HOLD_PROBE, [LEDGER_FULL] = HOLD_CAP,
    };
    const struct permit_ask *asked = argument;
    struct permit *permit = &host->permit;
    enum hold_kind kind;

    permit->leased = result == 0 && asked->permission.wait == LEDGER_GO && asked->spent == NULL;
    if (permit->state != PERMIT_ASKING) {
        permit_over(host);
        return;
    }
    if (result < 0) {
        granted(host);
        return;
    }
    warn_of_budget(host, asked);
    kind = holds[asked->permission.wait];
    if (kind == HOLD_LIMIT && permit->account_offered)
        kind = HOLD_ACCOUNT;
    if (asked->spent != NULL)
        wait_until(host, HOLD_BUDGET, asked->spent_until_ms, asked->spent_again_ms, asked->spent);
    else if (asked->permission.wait == LEDGER_GO)
        granted(host);
    else
        wait_until(host, kind, asked->permission.again_ms, asked->permission.again_ms,
                   permit_ask_reason(asked));
}

static void ask(struct host *host)
{
    struct permit *permit = &host->permit;
    struct permit_ask *asked;
    int64_t now = clock_realtime_ms();

    if (permit->not_before_ms > now) {
        wait_until(host, HOLD_BACKOFF, permit->not_before_ms, permit->not_before_ms, permit->reason);
        return;
    }
    asked = permit_ask_create(host, now);
    if (asked == NULL) {
        granted(host);
        return;
    }
    permit->state = PERMIT_ASKING;
    ledger_do(host,
              &(struct ledger_task){
                  .work = permit_ask_work, .done = answered, .argument = asked, .free = permit_ask_destroy});
}

bool permit_take(struct host *host, bool urgent)
{
    struct permit *permit = &host->permit;

    if (urgent && permit->state != PERMIT_GRANTED) {
        permit_over(host);
        return true;
    }
    if (permit->state == PERMIT_NONE && permit->not_before_ms == 0 && permit->telling == 0 &&
        !permit_gates(host)) {
        permit->through = false;
        return true;
    }
    if (permit->state == PERMIT_NONE)
        ask(host);
    if (permit->state != PERMIT_GRANTED)
        return false;
    permit->state = PERMIT_NONE;
    return true;
}

void permit_back_off(struct host *host, int64_t until_ms, const char *reason)
{
    host->permit.not_before_ms = until_ms;
    (void)strlcpy(host->permit.reason, reason, sizeof host->permit.reason);
    host->permit.state = PERMIT_NONE;
    ask(host);
}

/* ---- telling ---- */

enum word { THE_TURN_IS_OVER, THE_ACCOUNT_ANSWERS, THE_ACCOUNT_REFUSED };

struct telling {
    struct permit_ask *ask; /* the account, the session and the time */
    enum word word;
    int64_t until_ms;
};

static int tell_work(struct ledger *ledger, void *argument, struct error *error)
{
    const struct telling *telling = argument;
    const struct ledger_turn *turn = &telling->ask->turn;

    switch (telling->word) {
    case THE_TURN_IS_OVER:
        return ledger_turn_over(ledger, turn, error);
    case THE_ACCOUNT_ANSWERS:
        return ledger_turn_through(ledger, turn, error);
    case THE_ACCOUNT_REFUSED:
        break;
    }
    return ledger_turn_refused(ledger, turn, telling->until_ms, error);
}

static void told(struct host *host, void *argument, int result)
{
    const struct telling *telling = argument;

    (void)result;
    if (telling->word == THE_ACCOUNT_REFUSED && host->permit.telling > 0)
        host->permit.telling--;
}

static void free_telling(void *argument)
{
    struct telling *telling = argument;

    permit_ask_destroy(telling->ask);
    free(telling);
}

static void tell(struct host *host, enum word word, int64_t until_ms)
{
    struct permit_ask *asked = permit_ask_create(host, clock_realtime_ms());
    struct telling *telling;

    if (asked == NULL)
        return;
    telling = xcalloc(1, sizeof *telling);
    *telling = (struct telling){asked, word, until_ms};
    if (word == THE_ACCOUNT_REFUSED)
        host->permit.telling++;
    ledger_do(host, &(struct ledger_task){.work = tell_work,
                                          .done = told,
                                          .argument = telling,
                                          .free = free_telling,
                                          .keep = word == THE_ACCOUNT_REFUSED});
}

void permit_refused(struct host *host, int64_t until_ms, int64_t jitter_ms)
{
    host->permit.jitter_ms = jitter_ms;
    host->permit.leased = false;
    tell(host, THE_ACCOUNT_REFUSED, until_ms);
}

void permit_through(struct host *host)
{
    char *key;

    if (host->permit.through)
        return;
    host->permit.through = true;
    host->permit.fewer = 0;
    key = permit_account(host);
    if (key != NULL && !account_free(host, key))
        tell(host, THE_ACCOUNT_ANSWERS, 0);
    free(key);
}

void permit_over(struct host *host)
{
    bool waits = host->permit.held != HOLD_NONE && host->permit.held != HOLD_BACKOFF;

    if (host->permit.leased || waits || host->permit.state == PERMIT_GRANTED)
        tell(host, THE_TURN_IS_OVER, 0);
    host->permit.leased = host->permit.passing = false;
    host->permit.not_before_ms = 0;
    rest(host, PERMIT_NONE);
}

/* ---- fewer at once ---- */

struct count {
    char *key;
    int64_t now_ms;
    unsigned running;
};

static void free_count(void *argument)
{
    struct count *count = argument;

    free(count->key);
    free(count);
}

static int count_work(struct ledger *ledger, void *argument, struct error *error)
{
    struct count *count = argument;
    json_t *limits = ledger_limits(ledger, count->now_ms, error), *entry;
    size_t index;

    if (limits == NULL)
        return -1;
    json_array_foreach(limits, index, entry)
    {
        if (strcmp(json_member_string(entry, "key", ""), count->key) == 0)
            count->running = (unsigned)json_member_integer(entry, "running", 0);
    }
    json_decref(limits);
    return 0;
}

static void counted(struct host *host, void *argument, int result)
{
    const struct count *count = argument;

    if (result == 0)
        host->permit.fewer = count->running > 1 ? count->running - 1 : 1;
}

void permit_fewer(struct host *host)
{
    char *key = permit_account(host);
    struct count *count;

    if (key == NULL)
        return;
    count = xcalloc(1, sizeof *count);
    count->key = key;
    count->now_ms = clock_realtime_ms();
    ledger_do(host, &(struct ledger_task){
                        .work = count_work, .done = counted, .argument = count, .free = free_count});
}

bool permit_gates(const struct host *host)
{
    struct permit_ask *asked = permit_ask_create(host, clock_realtime_ms());
    bool gates;

    if (asked == NULL)
        return false;
    gates = asked->turn.cap > 0 || permit_ask_budgets(asked) || !account_free(host, asked->key);
    permit_ask_destroy(asked);
    return gates;
}

/* ---- life ---- */

int permit_init(struct host *host, struct error *error)
{
    host->permit.notify = -1;
    session_set(host, "waiting", json_null());
    host->permit.timer = wall_timer_create(host->loop, timer_fired, host);
    return host->permit.timer == NULL ? error_errno(error, "cannot make a timer") : 0;
}

void permit_finish(struct host *host)
{
    unwatch(&host->permit);
    wall_timer_destroy(host->permit.timer);
}
