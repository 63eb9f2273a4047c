/*
 * Phases as the dashboard shows them: glyph, role, urgency, whether a running time is shown.
 */
#ifndef TUI_PHASE_H
#define TUI_PHASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/theme.h"

/* In the order of urgency: what needs a person first, what has ended last. */
enum phase {
    PHASE_APPROVAL,
    PHASE_FAILED,
    PHASE_LOST,
    PHASE_TIMEOUT,
    PHASE_LIMITED,
    PHASE_RETRYING,
    PHASE_CONNECTING,
    PHASE_THINKING,
    PHASE_STREAMING,
    PHASE_TOOL,
    PHASE_INITIALIZING,
    PHASE_UNKNOWN,
    PHASE_IDLE,
    PHASE_CANCELLED,
    PHASE_KILLED,
    PHASE_COMPLETED,
    PHASE_COUNT,
};

struct phase_look {
    const char *name;  /* as in the session object */
    const char *glyph; /* one column */
    enum theme_role role;
    bool runs;  /* its time counts up (or down to `until`) before the person's eyes */
    bool ended; /* the attempt is over */
    bool calls; /* a person is needed */
};

const struct phase_look *phase_look(enum phase phase);
/* PHASE_UNKNOWN for a name that is not known. */
enum phase phase_find(const char *name);

/* "12s" since the phase began, or "4:05" until it ends; "" when it does not run. `now_ms` is wall-clock time. */
void phase_time(enum phase phase, int64_t since_ms, int64_t until_ms, int64_t now_ms, char *out, size_t size);

#endif
