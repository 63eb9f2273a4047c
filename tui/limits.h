/*
 * What the ledger says of the accounts: limit windows, who waits, what was spent today. It is read when it tells of a change
 * (ledger.notify, seen by the crew's inotify), after a session told of usage or limits, when a window's reset passes and at
 * midnight, at most once a second, and only while the side panel is there; between that the values held stay.
 */
#ifndef TUI_LIMITS_H
#define TUI_LIMITS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

struct ui;

struct limit_window {
    char *name;           /* for people: "5h", "7d" */
    double percent;       /* below 0: not known */
    int64_t resets_at_ms; /* 0: not known */
    double burn;          /* percent an hour, estimated; below 0: not known */
    int64_t exhausted_ms; /* estimated; 0: not known */
    bool stale;           /* seen long ago */
};

struct limit_account {
    char *key;    /* "claude/work", "claude" for the agent's own login */
    bool limited; /* then, if it is known, until: */
    int64_t limited_until_ms;
    int64_t waiting, running; /* sessions; turns */
    double cost_usd;          /* today; below 0: not known */
    bool cost_estimated;
    struct limit_window *windows;
    size_t window_count;
};

struct limits {
    struct limit_account *accounts;
    size_t count;
    char problem[160];      /* why it cannot be read; "" */
    int watch;              /* of the crew's inotify: ledger.notify, or STATE as long as there is none */
    bool due;               /* it is to be read as soon as the panel is there */
    int64_t read_ns;        /* when it was read last */
    struct event *again;    /* the next moment at which what is held is wrong, or due */
    struct event *expected; /* limits_expect */
};

/* After crew_open. */
void limits_open(struct ui *ui);
void limits_close(struct ui *ui);
/* True when the news was of the ledger. */
bool limits_news(struct ui *ui, const struct inotify_event *news);
/* Reads the ledger now, or as soon as a second has passed since the last time; without a panel when there is one. */
void limits_refresh(struct ui *ui);

/* A session has told of something that its host is about to note in the ledger: reads it in a second. */
void limits_expect(struct ui *ui);

/* The window with the highest percent, of those that are not over; NULL when there is none. */
const struct limit_window *limits_fullest(const struct limit_account *account, int64_t now_ms);
/* Whether the window is not over yet. */
bool limits_in_force(const struct limit_window *window, int64_t now_ms);
/* Whether the account is at its limit at that moment. */
bool limits_reached(const struct limit_account *account, int64_t now_ms);

/* Takes what ledger_limits and ledger_usage_sum (by account) answered; accounts of which there is nothing to show are left out.
 * Either may be NULL. */
void limits_take(struct limits *limits, const json_t *list, const json_t *usage, int64_t now_ms);
void limits_clear(struct limits *limits);

#endif
