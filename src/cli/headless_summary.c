#include "cli/headless_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"

enum { CELLS = 6, CELL_SIZE = NAME_MAX_LENGTH + 1 };

static const char *const headings[CELLS] = {"SESSION", "STATE", "DURATION", "TOKENS", "COST", "FILES"};

static void fill(const struct headless_state *state, char cells[CELLS][CELL_SIZE])
{
    int64_t in = json_member_integer(state->usage, "input_tokens", -1),
            out = json_member_integer(state->usage, "output_tokens", -1);
    double cost = json_member_number(state->usage, "cost_usd", -1);
    char tokens[2][16];

    (void)strlcpy(cells[0], state->name, CELL_SIZE);
    (void)strlcpy(cells[1], state->outcome, CELL_SIZE);
    if (state->began_ms == 0)
        (void)strlcpy(cells[2], "-", CELL_SIZE);
    else
        clock_format_duration_ms(state->at_ms - state->began_ms, cells[2], CELL_SIZE);
    headless_state_tokens(in, tokens[0]);
    headless_state_tokens(out, tokens[1]);
    (void)snprintf(cells[3], CELL_SIZE, in < 0 && out < 0 ? "-" : "%s in, %s out", tokens[0], tokens[1]);
    (void)snprintf(cells[4], CELL_SIZE, cost < 0 ? "-" : "$%.2f", cost);
    (void)snprintf(cells[5], CELL_SIZE, "%llu", (unsigned long long)headless_state_files(state));
}

static void add_row(struct headless_output *output, const char *const cells[CELLS], const int widths[CELLS])
{
    for (size_t i = 0; i < CELLS; i++) {
        char *padded = i + 1 < CELLS ? xasprintf("%-*s  ", widths[i], cells[i]) : xasprintf("%s\n", cells[i]);
        headless_output_add(output, padded, strlen(padded));
        free(padded);
    }
}

/* Of many sessions, why one did not complete stands far above. */
static void add_reason(const struct headless_state *state, struct headless_output *output)
{
    const char *why = json_member_string(state->last_error, "message", NULL);
    char *clean, *line;

    if (why == NULL || strcmp(state->outcome, "completed") == 0)
        return;
    clean = cli_clean(why, strlen(why));
    line = xasprintf("%s: %s\n", state->name, clean);
    headless_output_add(output, line, strlen(line));
    free(line);
    free(clean);
}

void headless_summary(const struct headless_state *const states[], size_t count,
                      struct headless_output *output)
{
    char(*rows)[CELLS][CELL_SIZE] = xcalloc(count, sizeof *rows);
    int widths[CELLS];

    for (size_t i = 0; i < CELLS; i++)
        widths[i] = (int)strlen(headings[i]);
    for (size_t row = 0; row < count; row++) {
        fill(states[row], rows[row]);
        for (size_t i = 0; i < CELLS; i++)
            widths[i] = (int)strlen(rows[row][i]) > widths[i] ? (int)strlen(rows[row][i]) : widths[i];
    }
    headless_output_add(output, "\n", 1);
    add_row(output, headings, widths);
    for (size_t row = 0; row < count; row++) {
        const char *cells[CELLS];
        for (size_t i = 0; i < CELLS; i++)
            cells[i] = rows[row][i];
        add_row(output, cells, widths);
    }
    for (size_t row = 0; row < count && count > 1; row++)
        add_reason(states[row], output);
    free(rows);
}
