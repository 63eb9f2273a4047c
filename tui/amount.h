/*
 * Numbers as people read them, in few columns: tokens, money, the time that is left.
 */
#ifndef TUI_AMOUNT_H
#define TUI_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMOUNT_SIZE 32 /* enough for any of them */

/* "812", "12.3k", "412k", "4.1M": at most 5 columns. "" when negative: not known. */
void amount_tokens(int64_t tokens, char out[AMOUNT_SIZE]);
/* "$0.42", "$412", with "~" before it when it is an estimate: at most 7 columns. "" when negative: not known. */
void amount_cost(double usd, bool estimate, char out[AMOUNT_SIZE]);
/* "0:45", "15:45", "1:23:45", "6d 3:12:44": to the second, begun seconds whole. A time that is over is "0:00". */
void amount_countdown(int64_t left_ms, char out[AMOUNT_SIZE]);
/* The same in at most 8 columns: "6d 3h" from a day on. */
void amount_countdown_short(int64_t left_ms, char out[AMOUNT_SIZE]);
/* A moment of the wall clock in local time: "14:20", from a day ahead on "Tue 14:20". */
void amount_moment(int64_t at_ms, int64_t now_ms, char out[AMOUNT_SIZE]);

#endif
