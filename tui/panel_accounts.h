/*
 * The block of accounts in the side panel: what is used of each limit window, until when, how fast, and what was spent today.
 */
#ifndef TUI_PANEL_ACCOUNTS_H
#define TUI_PANEL_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/layout.h"

struct limits;

/* How much is shown, from nothing on. */
enum accounts_detail {
    ACCOUNTS_NONE,
    ACCOUNTS_FULLEST, /* a line for each account: its fullest window */
    ACCOUNTS_WINDOWS, /* a line for each window */
    ACCOUNTS_RATES,   /* and one for how fast it fills */
    ACCOUNTS_DETAILS,
};

/* The rows it takes, heading included; 0 when there is nothing to show. */
int panel_accounts_rows(const struct limits *limits, enum accounts_detail detail, int64_t now_ms);
void panel_accounts_paint(const struct limits *limits, enum accounts_detail detail, struct rectangle area,
                          int64_t now_ms);
/* Whether a time in it runs. */
bool panel_accounts_run(const struct limits *limits, int64_t now_ms);

#endif
