#include "agent/phase.h"

#include <stdio.h>
#include <string.h>

static const char *const phase_names[PHASE_COUNT] = {
    [PHASE_INITIALIZING] = "initializing",
    [PHASE_IDLE] = "idle",
    [PHASE_CONNECTING] = "connecting",
    [PHASE_THINKING] = "thinking",
    [PHASE_STREAMING] = "streaming",
    [PHASE_TOOL] = "tool",
    [PHASE_APPROVAL] = "approval",
    [PHASE_LIMITED] = "limited",
    [PHASE_RETRYING] = "retrying",
    [PHASE_UNKNOWN] = "unknown",
    [PHASE_COMPLETED] = "completed",
    [PHASE_FAILED] = "failed",
    [PHASE_TIMEOUT] = "timeout",
    [PHASE_CANCELLED] = "cancelled",
    [PHASE_KILLED] = "killed",
    [PHASE_LOST] = "lost",
};

static const struct {
    const char *name;
    int rank;
} sources[EVIDENCE_COUNT] = {
    [EVIDENCE_STREAM] = {"stream", 1},   [EVIDENCE_HOOK] = {"hook", 1},   [EVIDENCE_SERVER] = {"server", 1},
    [EVIDENCE_STATUS] = {"status", 2},   [EVIDENCE_TITLE] = {"title", 3}, [EVIDENCE_SCREEN] = {"screen", 4},
    [EVIDENCE_PROCESS] = {"process", 5}, [EVIDENCE_USER] = {"user", 0},
};

const char *phase_name(enum phase phase)
{
    return phase_names[phase];
}

enum phase phase_parse(const char *name)
{
    enum phase phase = PHASE_INITIALIZING;

    while (phase < PHASE_COUNT && strcmp(phase_names[phase], name) != 0)
        phase++;
    return phase;
}

bool phase_is_end(enum phase phase)
{
    return phase >= PHASE_COMPLETED;
}

bool phase_is_working(enum phase phase)
{
    return phase >= PHASE_CONNECTING && phase <= PHASE_TOOL;
}

const char *evidence_source_name(enum evidence_source source)
{
    return sources[source].name;
}

int evidence_rank(enum evidence_source source)
{
    return sources[source].rank;
}

void phase_init(struct phase_state *state, int64_t now_ms)
{
    *state = (struct phase_state){
        .phase = PHASE_INITIALIZING,
        .source = EVIDENCE_PROCESS,
        .since_ms = now_ms,
        .wanted = PHASE_COUNT,
    };
    state->evidence[EVIDENCE_PROCESS] = (struct evidence){.phase = PHASE_INITIALIZING, .at_ms = now_ms};
}

/* The live source that decides: the user's own act until somebody else speaks, else the best rank, else the
 * freshest. */
static enum evidence_source deciding_source(const struct phase_state *state)
{
    enum evidence_source best = EVIDENCE_COUNT;

    if (state->evidence[EVIDENCE_USER].at_ms != 0)
        return EVIDENCE_USER;
    for (enum evidence_source source = 0; source < EVIDENCE_COUNT; source++) {
        const struct evidence *found = &state->evidence[source];
        if (found->at_ms == 0)
            continue;
        if (best == EVIDENCE_COUNT || sources[source].rank < sources[best].rank ||
            (sources[source].rank == sources[best].rank && found->at_ms > state->evidence[best].at_ms))
            best = source;
    }
    return best;
}

static bool enter(struct phase_state *state, enum phase phase, enum evidence_source source, int64_t now_ms)
{
    bool changed = state->phase != phase;

    state->source = source;
    state->wanted = PHASE_COUNT;
    if (changed) {
        state->phase = phase;
        state->since_ms = now_ms;
    }
    return changed;
}

static bool settle(struct phase_state *state, int64_t now_ms)
{
    enum evidence_source source = deciding_source(state);
    enum phase phase = source == EVIDENCE_COUNT ? PHASE_UNKNOWN : state->evidence[source].phase;

    if (source == EVIDENCE_COUNT)
        source = EVIDENCE_PROCESS;
    if (phase == PHASE_IDLE && state->phase != PHASE_IDLE) {
        if (state->wanted != PHASE_IDLE)
            state->wanted_at_ms = now_ms + PHASE_IDLE_DEBOUNCE_MS;
        state->wanted = PHASE_IDLE;
        return false;
    }
    return enter(state, phase, source, now_ms);
}

bool phase_observe(struct phase_state *state, enum evidence_source source, const struct evidence *evidence)
{
    bool moved = evidence->until_ms != state->evidence[source].until_ms;

    if (state->ended)
        return false;
    if (source != EVIDENCE_USER && source != EVIDENCE_PROCESS)
        state->evidence[EVIDENCE_USER].at_ms = 0;
    state->evidence[source] = *evidence;
    return settle(state, evidence->at_ms) || (moved && state->source == source);
}

bool phase_withdraw(struct phase_state *state, enum evidence_source source, int64_t now_ms)
{
    if (state->ended || state->evidence[source].at_ms == 0)
        return false;
    state->evidence[source] = (struct evidence){0};
    return settle(state, now_ms);
}

bool phase_tick(struct phase_state *state, int64_t now_ms, int64_t *next_ms)
{
    *next_ms = 0;
    if (state->ended || state->wanted != PHASE_IDLE)
        return false;
    if (now_ms < state->wanted_at_ms) {
        *next_ms = state->wanted_at_ms;
        return false;
    }
    return enter(state, PHASE_IDLE, deciding_source(state), now_ms);
}

void phase_end(struct phase_state *state, enum phase phase, const char *detail, int64_t now_ms)
{
    struct evidence *process = &state->evidence[EVIDENCE_PROCESS];

    memset(state->evidence, 0, sizeof state->evidence);
    process->phase = phase;
    process->at_ms = now_ms;
    (void)snprintf(process->detail, sizeof process->detail, "%s", detail);
    (void)enter(state, phase, EVIDENCE_PROCESS, now_ms);
    state->ended = true;
}
