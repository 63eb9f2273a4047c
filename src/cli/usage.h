/*
 * Pieces of `ganger usage`: dates, and the rows of ledger_usage_sum as a table.
 */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/ledger.h"

/* A date as people write it, in local time: "2026-11-21", "today", "yesterday", "7d" and "12h" (ago), or RFC 3339. `end`: the end
 * of a day, not its beginning. Milliseconds of the wall clock; -1: it is none. */
int64_t usage_date(const char *text, int64_t now_ms, bool end);
/* A count in at most 6 columns: "999", "12.3k", "4.56M". */
#define USAGE_COUNT_SIZE 24
void usage_count(int64_t count, char out[USAGE_COUNT_SIZE]);
/* A cost: "$1.25", "~$0.0031" when it is an estimate, "-" when it is not known. `row`: of ledger_usage_sum. */
#define USAGE_COST_SIZE 32
void usage_cost(const json_t *row, char out[USAGE_COST_SIZE]);

/* Replaces the list by one with the most tokens first. */
void usage_sort(json_t **list);
/* Prints the rows and their total. */
void usage_print(const json_t *list, enum ledger_usage_by by);

/* Moves accounts whose login has expired, as their agents say, to `left_out` (keys), and says which. */
void usage_leave_out(json_t *list, json_t *left_out);
void usage_print_left_out(const json_t *left_out);

#endif
