#include "tui/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/ledger.h"
#include "tui/text_line.h"
#include "tui/ui.h"

#define BETWEEN_NS 1000000000LL
#define AFTER_RESET_MS 500
#define SLEEP_MAX_MS (INT64_C(24) * 3600 * 1000)
#define FILE_NEWS (IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF)
#define ACCOUNTS_MAX 256
#define WINDOWS_MAX 16

/* ---- what the ledger says, as values ---- */

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t ms;

    return clock_parse_rfc3339(json_member_string(object, key, ""), &ms) == 0 ? ms : 0;
}

/* "five_hour" is "5h": the agents' own words, in as few columns. */
static char *window_name(const char *name)
{
    static const char *const words[][2] = {
        {"five_hour", "5h"}, {"seven_day", "7d"}, {"weekly", "7d"}, {"daily", "day"}, {"hourly", "hour"}};
    char *text = NULL;

    for (size_t i = 0; i < sizeof words / sizeof words[0] && text == NULL; i++) {
        size_t length = strlen(words[i][0]);
        if (strncmp(name, words[i][0], length) == 0 && (name[length] == '\0' || name[length] == '_'))
            text = xasprintf("%s%s", words[i][1], name + length);
    }
    if (text == NULL)
        text = text_line(name);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '_' || (unsigned char)*at < 0x20 || *at == 0x7F)
            *at = ' ';
    }
    return text;
}

static void take_windows(struct limit_account *account, const json_t *list)
{
    size_t count = json_array_size(list), index;
    const json_t *window;

    count = count < WINDOWS_MAX ? count : WINDOWS_MAX;
    account->windows = xcalloc(count + 1, sizeof *account->windows);
    for (index = 0; index < count; index++) {
        double percent;
        window = json_array_get(list, index);
        percent = json_member_number(window, "percent", -1);
        account->windows[account->window_count++] =
            (struct limit_window){.name = window_name(json_member_string(window, "window", "")),
                                  .percent = percent > 100 ? 100 : percent,
                                  .resets_at_ms = time_of(window, "resets_at"),
                                  .burn = json_member_number(window, "burn_pct_per_h", -1),
                                  .exhausted_ms = time_of(window, "exhausted_at"),
                                  .stale = json_member_bool(window, "stale", 0) != 0};
    }
}

static char *key_for_people(const char *key)
{
    char *text = text_line(key);
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '/')
        text[length - 1] = '\0';
    return text;
}

static struct limit_account *add_account(struct limits *limits, const char *key)
{
    struct limit_account *account = &limits->accounts[limits->count++];

    *account = (struct limit_account){.key = key_for_people(key), .cost_usd = -1};
    return account;
}

static void take_account(struct limits *limits, const json_t *entry, int64_t now_ms)
{
    int64_t until = time_of(entry, "limited_until"), waiting = json_member_integer(entry, "waiting", 0),
            running = json_member_integer(entry, "running", 0);
    bool limited = until > now_ms || (until == 0 && time_of(entry, "limited_since") > 0);
    const json_t *windows = json_object_get(entry, "windows");
    struct limit_account *account;

    if (limits->count == ACCOUNTS_MAX ||
        (json_array_size(windows) == 0 && !limited && waiting == 0 && running == 0))
        return;
    account = add_account(limits, json_member_string(entry, "key", "?"));
    account->limited = limited;
    account->limited_until_ms = until;
    account->waiting = waiting;
    account->running = running;
    take_windows(account, windows);
}

static struct limit_account *find_account(struct limits *limits, const char *key)
{
    char *text = key_for_people(key);
    struct limit_account *found = NULL;

    for (size_t i = 0; i < limits->count && found == NULL; i++) {
        if (strcmp(limits->accounts[i].key, text) == 0)
            found = &limits->accounts[i];
    }
    free(text);
    return found;
}

static void take_usage(struct limits *limits, const json_t *row)
{
    const char *key = json_member_string(row, "account", "");
    double cost = json_member_number(row, "cost_usd", -1);
    struct limit_account *account = find_account(limits, key);

    if (!(cost >= 0) || key[0] == '\0' || (account == NULL && limits->count == ACCOUNTS_MAX))
        return;
    if (account == NULL)
        account = add_account(limits, key);
    account->cost_usd = (account->cost_usd < 0 ? 0 : account->cost_usd) + cost;
    account->cost_estimated |= strcmp(json_member_string(row, "cost_basis", ""), "reported") != 0;
}

void limits_clear(struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        for (size_t k = 0; k < limits->accounts[i].window_count; k++)
            free(limits->accounts[i].windows[k].name);
        free(limits->accounts[i].windows);
        free(limits->accounts[i].key);
    }
    free(limits->accounts);
    limits->accounts = NULL;
    limits->count = 0;
}

void limits_take(struct limits *limits, const json_t *list, const json_t *usage, int64_t now_ms)
{
    size_t index;
    json_t *entry;

    limits_clear(limits);
    limits->accounts = xcalloc(ACCOUNTS_MAX, sizeof *limits->accounts);
    json_array_foreach(list, index, entry)
    {
        take_account(limits, entry, now_ms);
    }
    json_array_foreach(usage, index, entry)
    {
        take_usage(limits, entry);
    }
}

bool limits_in_force(const struct limit_window *window, int64_t now_ms)
{
    return window->resets_at_ms == 0 || window->resets_at_ms > now_ms;
}

bool limits_reached(const struct limit_account *account, int64_t now_ms)
{
    return account->limited && (account->limited_until_ms == 0 || account->limited_until_ms > now_ms);
}

const struct limit_window *limits_fullest(const struct limit_account *account, int64_t now_ms)
{
    const struct limit_window *fullest = NULL;

    for (size_t i = 0; i < account->window_count; i++) {
        const struct limit_window *window = &account->windows[i];
        if (limits_in_force(window, now_ms) && (fullest == NULL || window->percent > fullest->percent))
            fullest = window;
    }
    return fullest;
}

/* ---- reading ---- */

static int64_t midnight(int64_t now_ms, int days)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm local;

    if (localtime_r(&now, &local) == NULL)
        return 0;
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_mday += days;
    local.tm_isdst = -1;
    return (int64_t)mktime(&local) * 1000;
}

static void read_ledger(struct ui *ui, int64_t now_ms)
{
    struct limits *limits = &ui->limits;
    struct error error = {0};
    struct ledger *ledger = ledger_open(ui->state_dir, LEDGER_READ, &error);
    const struct ledger_usage_query query = {.by = USAGE_BY_ACCOUNT, .since_ms = midnight(now_ms, 0)};
    json_t *list = ledger == NULL ? NULL : ledger_limits(ledger, now_ms, &error);
    json_t *usage = list == NULL ? NULL : ledger_usage_sum(ledger, &query, &error);
    char *problem = text_line(list != NULL && usage != NULL ? "" : error.text);

    limits_take(limits, list, usage, now_ms);
    (void)snprintf(limits->problem, sizeof limits->problem, "%s",
                   ledger == NULL && error.code == ENOENT ? "" : problem);
    free(problem);
    json_decref(list);
    json_decref(usage);
    ledger_close(ledger);
}

static void earlier(int64_t *next_ms, int64_t at_ms, int64_t now_ms)
{
    if (at_ms > now_ms && at_ms < *next_ms)
        *next_ms = at_ms;
}

/* When what is held becomes wrong by itself: a reset, the end of a limit, midnight. */
static void schedule_next(struct limits *limits, int64_t now_ms)
{
    int64_t next_ms = now_ms + SLEEP_MAX_MS, left;

    if (limits->count == 0)
        return;
    earlier(&next_ms, midnight(now_ms, 1), now_ms);
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit_account *account = &limits->accounts[i];
        earlier(&next_ms, account->limited_until_ms, now_ms);
        for (size_t k = 0; k < account->window_count; k++)
            earlier(&next_ms, account->windows[k].resets_at_ms, now_ms);
    }
    left = next_ms - now_ms + AFTER_RESET_MS;
    (void)event_add(limits->again, &(struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000});
}

static void refresh_now(struct ui *ui)
{
    struct limits *limits = &ui->limits;
    int64_t now_ms = clock_realtime_ms();

    limits->due = false;
    limits->read_ns = clock_monotonic_ns();
    (void)event_del(limits->again);
    read_ledger(ui, now_ms);
    schedule_next(limits, now_ms);
    ui_paint(ui, PAINT_PANEL);
    ui_tick(ui);
}

void limits_refresh(struct ui *ui)
{
    struct limits *limits = &ui->limits;
    int64_t passed = clock_monotonic_ns() - limits->read_ns;

    limits->due = true;
    if (limits->again == NULL || ui->parts.panel.cols == 0)
        return;
    if (limits->read_ns == 0 || passed >= BETWEEN_NS) {
        refresh_now(ui);
    } else {
        struct timeval delay = {.tv_usec = (BETWEEN_NS - passed) / 1000};
        (void)event_add(limits->again, &delay);
    }
}

static void on_again(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    limits_refresh(argument);
}

void limits_expect(struct ui *ui)
{
    struct event *expected = ui->limits.expected;

    if (expected != NULL && !event_pending(expected, EV_TIMEOUT, NULL))
        (void)event_add(expected, &(struct timeval){.tv_sec = 1});
}

/* ---- changes ---- */

static void watch(struct ui *ui)
{
    struct limits *limits = &ui->limits;
    char *path = path_join(ui->state_dir, LEDGER_NOTIFY);

    limits->watch = inotify_add_watch(ui->crew.inotify, path, FILE_NEWS);
    if (limits->watch < 0) {
        limits->watch =
            inotify_add_watch(ui->crew.inotify, ui->state_dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
        /* It may have come in between. */
        if (access(path, F_OK) == 0)
            limits->watch = inotify_add_watch(ui->crew.inotify, path, FILE_NEWS);
    }
    free(path);
}

void limits_open(struct ui *ui)
{
    ui->limits.again = event_new(ui->loop, -1, 0, on_again, ui);
    ui->limits.expected = event_new(ui->loop, -1, 0, on_again, ui);
    watch(ui);
    limits_refresh(ui);
}

void limits_close(struct ui *ui)
{
    if (ui->limits.again != NULL) {
        event_free(ui->limits.again);
        event_free(ui->limits.expected);
    }
    limits_clear(&ui->limits);
    ui->limits.again = ui->limits.expected = NULL;
}

/* A folder's news have a name, a file's have none. */
bool limits_news(struct ui *ui, const struct inotify_event *news)
{
    struct limits *limits = &ui->limits;

    if (limits->again == NULL || limits->watch < 0 || news->wd != limits->watch)
        return false;
    if (news->len > 0 && strcmp(news->name, LEDGER_NOTIFY) != 0)
        return true;
    if (news->len > 0) {
        (void)inotify_rm_watch(ui->crew.inotify, limits->watch);
        watch(ui);
    } else if ((news->mask & (IN_IGNORED | IN_DELETE_SELF)) != 0) {
        watch(ui);
    } else if ((news->mask & IN_ATTRIB) != 0) {
        /* Also told when its last link goes: the file may be another one. */
        char *path = path_join(ui->state_dir, LEDGER_NOTIFY);
        if (access(path, F_OK) < 0)
            (void)inotify_rm_watch(ui->crew.inotify, limits->watch);
        free(path);
    }
    limits_refresh(ui);
    return true;
}
