#include "tui/phase.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tui/amount.h"

static const struct phase_look looks[PHASE_COUNT] = {
    [PHASE_APPROVAL] = {"approval", "▲", ROLE_ATTENTION, true, false, true},
    [PHASE_FAILED] = {"failed", "✗", ROLE_ERROR, false, true, true},
    [PHASE_LOST] = {"lost", "✗", ROLE_ERROR, false, true, true},
    [PHASE_TIMEOUT] = {"timeout", "✗", ROLE_ERROR, false, true, true},
    [PHASE_LIMITED] = {"limited", "◆", ROLE_LIMITED, true, false, false},
    [PHASE_RETRYING] = {"retrying", "↻", ROLE_LIMITED, true, false, false},
    [PHASE_CONNECTING] = {"connecting", "●", ROLE_WORKING, true, false, false},
    [PHASE_THINKING] = {"thinking", "●", ROLE_WORKING, true, false, false},
    [PHASE_STREAMING] = {"streaming", "●", ROLE_WORKING, true, false, false},
    [PHASE_TOOL] = {"tool", "●", ROLE_WORKING, true, false, false},
    [PHASE_INITIALIZING] = {"starting", "◌", ROLE_DIM, true, false, false},
    [PHASE_UNKNOWN] = {"unknown", "?", ROLE_DIM, false, false, false},
    [PHASE_IDLE] = {"idle", "○", ROLE_IDLE, false, false, false},
    [PHASE_CANCELLED] = {"cancelled", "·", ROLE_ENDED, false, true, false},
    [PHASE_KILLED] = {"killed", "·", ROLE_ENDED, false, true, false},
    [PHASE_COMPLETED] = {"completed", "✓", ROLE_ENDED, false, true, false},
};

const struct phase_look *phase_look(enum phase phase)
{
    return &looks[phase];
}

enum phase phase_find(const char *name)
{
    if (strcmp(name, "initializing") == 0)
        return PHASE_INITIALIZING;
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        if (strcmp(looks[phase].name, name) == 0)
            return (enum phase)phase;
    }
    return PHASE_UNKNOWN;
}

void phase_time(enum phase phase, int64_t since_ms, int64_t until_ms, int64_t now_ms, char *out, size_t size)
{
    char text[AMOUNT_SIZE];

    out[0] = '\0';
    if (!looks[phase].runs)
        return;
    if ((phase == PHASE_LIMITED || phase == PHASE_RETRYING) && until_ms > 0) {
        amount_countdown_short(until_ms - now_ms, text);
        (void)snprintf(out, size, "%s", text);
    } else if (since_ms > 0) {
        clock_format_duration(now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0, out, size);
    }
}
