#include "agent/phase.h"

#include <stdio.h>
#include <string.h>

#define SAME_QUESTION_MS 1000
#define TITLE_LAG_MS 250

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
        .proofs = phase_proofs_default,
    };
    for (enum evidence_source source = 0; source < EVIDENCE_COUNT; source++)
        state->overruled_by[source] = EVIDENCE_COUNT;
    state->evidence[EVIDENCE_PROCESS] = (struct evidence){.phase = PHASE_INITIALIZING, .at_ms = now_ms};
}

const struct phase_proofs phase_proofs_default = {
    .dialog_gone_ms = 300, .quiet_ms = 1500, .turning_ms = 1000, .unsaid_ms = 1000};

/* ---- what each source says ---- */

static const struct evidence *live(const struct phase_state *state, enum evidence_source source)
{
    const struct evidence *evidence = &state->evidence[source];

    return evidence->at_ms == 0 ? NULL : evidence;
}

static int64_t last_seen(const struct evidence *evidence)
{
    return evidence->seen_ms > evidence->at_ms ? evidence->seen_ms : evidence->at_ms;
}

static bool is_own_word(enum evidence_source source)
{
    return source == EVIDENCE_HOOK || source == EVIDENCE_SERVER || source == EVIDENCE_STATUS;
}

/* A time at which a condition becomes true if nothing happens before. */
static void look_again(struct phase_state *state, int64_t at_ms)
{
    if (state->next_ms == 0 || at_ms < state->next_ms)
        state->next_ms = at_ms;
}

/* True when `since` is at least `wait` ago; else the machine looks again when it will be. */
static bool passed(struct phase_state *state, int64_t since, int wait, int64_t now_ms)
{
    if (now_ms >= since + wait)
        return true;
    look_again(state, since + wait);
    return false;
}

/* ---- proofs ---- */

static bool dialog_drawn(struct phase_state *state, const struct evidence *high, const struct evidence *low,
                         int64_t now_ms)
{
    (void)state;
    (void)now_ms;
    return low->at_ms >= high->at_ms;
}

static bool at_once(struct phase_state *state, const struct evidence *high, const struct evidence *low,
                    int64_t now_ms)
{
    (void)state;
    (void)high;
    (void)low;
    (void)now_ms;
    return true;
}

static bool still_turning(struct phase_state *state, const struct evidence *high, const struct evidence *low,
                          int64_t now_ms)
{
    (void)now_ms;
    return last_seen(low) >= high->at_ms + state->proofs.turning_ms;
}

/* A title changes in the same breath as the screen. */
static bool turning_beside_title(struct phase_state *state, const struct evidence *high,
                                 const struct evidence *low, int64_t now_ms)
{
    (void)state;
    (void)now_ms;
    return last_seen(low) >= high->at_ms + TITLE_LAG_MS;
}

static bool box_back_and_quiet(struct phase_state *state, const struct evidence *high,
                               const struct evidence *low, int64_t now_ms)
{
    int64_t since = low->at_ms > state->output_ms ? low->at_ms : state->output_ms;

    return since >= high->at_ms && passed(state, since, state->proofs.quiet_ms, now_ms);
}

/* A dialog drawn shortly before the program said that it asks is the same question. */
static bool dialog_gone(struct phase_state *state, const struct evidence *high, const struct evidence *low,
                        int64_t now_ms)
{
    return state->dialog_ms != 0 && state->dialog_ms + SAME_QUESTION_MS >= high->at_ms &&
           low->at_ms >= state->dialog_ms && passed(state, low->at_ms, state->proofs.dialog_gone_ms, now_ms);
}

#define WORKING (1u << PHASE_CONNECTING | 1u << PHASE_THINKING | 1u << PHASE_STREAMING | 1u << PHASE_TOOL)
#define RESTING (1u << PHASE_IDLE | 1u << PHASE_UNKNOWN | 1u << PHASE_INITIALIZING)
#define WAITING (1u << PHASE_LIMITED | 1u << PHASE_RETRYING)
#define APPROVAL (1u << PHASE_APPROVAL)
#define OWN (1u << EVIDENCE_HOOK | 1u << EVIDENCE_SERVER | 1u << EVIDENCE_STATUS)
#define TITLE (1u << EVIDENCE_TITLE)
#define SCREEN (1u << EVIDENCE_SCREEN)

/* The table: evidence `says` of a source in `by` ends evidence `ends` of one in `of`, if `holds`. */
static const struct proof {
    unsigned by, says, of, ends;
    bool (*holds)(struct phase_state *state, const struct evidence *high, const struct evidence *low,
                  int64_t now_ms);
    const char *why;
} proofs[] = {
    {SCREEN, APPROVAL, TITLE, WORKING | RESTING | WAITING, at_once, "its dialog is on the screen"},
    {SCREEN | TITLE, APPROVAL, OWN, WORKING | RESTING | WAITING, dialog_drawn,
     "its dialog was drawn after that"},
    {SCREEN, WAITING, OWN | TITLE, 1u << PHASE_IDLE, at_once, "the screen says what it waits for"},
    {SCREEN | TITLE, WORKING | WAITING, OWN, 1u << PHASE_IDLE, still_turning,
     "a spinner still turns after that"},
    {SCREEN, WORKING | WAITING, TITLE, 1u << PHASE_IDLE, turning_beside_title,
     "a spinner still turns after that"},
    {SCREEN, 1u << PHASE_IDLE, OWN | TITLE, WORKING | WAITING, box_back_and_quiet,
     "the prompt box is back and the agent is quiet"},
    {SCREEN, RESTING | WORKING | WAITING, OWN | TITLE, APPROVAL, dialog_gone, "its dialog is gone"},
};

static const struct proof *find_proof(struct phase_state *state, enum evidence_source high,
                                      enum evidence_source low, int64_t now_ms)
{
    const struct evidence *above = &state->evidence[high], *below = &state->evidence[low];

    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
        const struct proof *proof = &proofs[i];
        if ((proof->by & 1u << low) != 0 && (proof->says & 1u << below->phase) != 0 &&
            (proof->of & 1u << high) != 0 && (proof->ends & 1u << above->phase) != 0 &&
            proof->holds(state, above, below, now_ms))
            return proof;
    }
    return NULL;
}

/* ---- deciding ---- */

/* The program speaks for itself: a file that it writes beside that comes later, and says no more. */
static bool is_heard(const struct phase_state *state)
{
    return live(state, EVIDENCE_HOOK) != NULL || live(state, EVIDENCE_STATUS) != NULL;
}

/* A status stands until it is taken back; a hook that says that the turn is over may come after it. */
static bool waits_on(const struct phase_state *state, enum evidence_source hook, enum evidence_source status)
{
    return hook == EVIDENCE_HOOK && status == EVIDENCE_STATUS && state->evidence[hook].phase == PHASE_IDLE &&
           state->evidence[status].phase == PHASE_APPROVAL;
}

/* The best rank; among the program's own words the latest one. */
static enum evidence_source best_source(const struct phase_state *state)
{
    enum evidence_source best = EVIDENCE_COUNT;

    for (enum evidence_source source = 0; source < EVIDENCE_USER; source++) {
        if (live(state, source) == NULL || (source == EVIDENCE_SERVER && is_heard(state)))
            continue;
        if (best == EVIDENCE_COUNT)
            best = source;
        else if (is_own_word(best) && is_own_word(source) &&
                 (waits_on(state, best, source) ||
                  last_seen(&state->evidence[source]) > last_seen(&state->evidence[best])))
            best = source;
    }
    return best;
}

static void overrule(struct phase_state *state, enum evidence_source source, enum evidence_source by,
                     const char *why)
{
    state->overruled_by[source] = by;
    state->why[source] = why;
}

static enum evidence_source by_proof(struct phase_state *state, enum evidence_source best, int64_t now_ms)
{
    for (enum evidence_source low = best + 1; low < EVIDENCE_USER; low++) {
        const struct proof *proof;
        if (live(state, low) == NULL || (is_own_word(low) && is_own_word(best)))
            continue;
        proof = find_proof(state, best, low, now_ms);
        if (proof == NULL)
            continue;
        overrule(state, best, low, proof->why);
        best = low;
    }
    return best;
}

/* Whoever knows at what the agent works, when the deciding source knows only that it does. */
static enum evidence_source refine(const struct phase_state *state, enum evidence_source best)
{
    static const enum evidence_source order[] = {EVIDENCE_HOOK, EVIDENCE_SERVER, EVIDENCE_TITLE,
                                                 EVIDENCE_SCREEN};

    if (!phase_is_working(state->evidence[best].phase) || !state->evidence[best].coarse)
        return best;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const struct evidence *found = live(state, order[i]);
        if (found == NULL || order[i] == best || found->coarse)
            continue;
        if (phase_is_working(found->phase) || (WAITING & 1u << found->phase) != 0)
            return order[i];
    }
    return best;
}

/* What a person did counts until a source says something else after it. */
static bool user_decides(struct phase_state *state, enum evidence_source best, int64_t now_ms)
{
    const struct evidence *user = live(state, EVIDENCE_USER), *found = &state->evidence[best], *screen;

    if (user == NULL)
        return false;
    if (best == EVIDENCE_COUNT || evidence_rank(best) == evidence_rank(EVIDENCE_PROCESS))
        return true;
    /* A title or a screen that says the same as before says nothing; a report does. */
    if ((is_own_word(best) ? found->said : found->became) > user->said)
        return false;
    if (user->phase == PHASE_IDLE)
        return !phase_is_working(found->phase) || last_seen(found) < user->at_ms + state->proofs.turning_ms;
    if (phase_is_working(found->phase) && last_seen(found) > user->at_ms + TITLE_LAG_MS)
        return false;
    screen = live(state, EVIDENCE_SCREEN);
    if (screen != NULL && screen->phase == PHASE_IDLE) {
        int64_t since = user->at_ms > state->output_ms ? user->at_ms : state->output_ms;
        /* Text that came since is an answer, as short as it was. */
        int wait = state->text_ms > user->at_ms ? state->proofs.unsaid_ms / 3 : state->proofs.unsaid_ms;
        return !passed(state, since, wait, now_ms);
    }
    return true;
}

static enum evidence_source decide(struct phase_state *state, int64_t now_ms)
{
    enum evidence_source best;

    for (enum evidence_source source = 0; source < EVIDENCE_COUNT; source++)
        overrule(state, source, EVIDENCE_COUNT, NULL);
    state->next_ms = 0;
    best = best_source(state);
    if (best != EVIDENCE_COUNT)
        best = by_proof(state, best, now_ms);
    if (user_decides(state, best, now_ms)) {
        if (best != EVIDENCE_COUNT)
            overrule(state, best, EVIDENCE_USER, "it was said before");
        return EVIDENCE_USER;
    }
    state->evidence[EVIDENCE_USER].at_ms = 0;
    return best == EVIDENCE_COUNT ? EVIDENCE_COUNT : refine(state, best);
}

/* ---- changing ---- */

static bool enter(struct phase_state *state, enum phase phase, enum evidence_source source, int64_t now_ms)
{
    bool changed = state->phase != phase;

    state->source = source;
    state->wanted = PHASE_COUNT;
    if (changed) {
        /* The next question has a dialog of its own. */
        if (state->phase == PHASE_APPROVAL)
            state->dialog_ms = 0;
        state->phase = phase;
        state->since_ms = now_ms;
    }
    return changed;
}

/* How long `phase` must be wanted before it is entered, in ms. */
static int hold_of(const struct phase_state *state, enum phase phase, enum evidence_source source)
{
    if (phase == PHASE_IDLE)
        return PHASE_IDLE_DEBOUNCE_MS;
    /* What was typed, or said in the stream, is no flash. */
    if (!phase_is_working(phase) || source == EVIDENCE_USER || source == EVIDENCE_STREAM)
        return 0;
    if (phase_is_working(state->phase))
        return PHASE_DWELL_MS;
    return state->phase == PHASE_UNKNOWN ? 0 : PHASE_FLASH_MS;
}

static bool settle(struct phase_state *state, int64_t now_ms)
{
    enum evidence_source source = decide(state, now_ms);
    enum phase phase = source == EVIDENCE_COUNT ? PHASE_UNKNOWN : state->evidence[source].phase;
    int64_t due;

    if (source == EVIDENCE_COUNT)
        source = EVIDENCE_PROCESS;
    if (phase == state->phase)
        return enter(state, phase, source, now_ms);
    if (state->wanted != phase) {
        state->wanted = phase;
        state->wanted_at_ms = now_ms;
    }
    due = state->wanted_at_ms + hold_of(state, phase, source);
    if (source != EVIDENCE_USER && due < state->since_ms + PHASE_DWELL_MS &&
        state->phase != PHASE_INITIALIZING && state->phase != PHASE_UNKNOWN)
        due = state->since_ms + PHASE_DWELL_MS;
    if (now_ms >= due)
        return enter(state, phase, source, now_ms);
    look_again(state, due);
    return false;
}

bool phase_resume(struct phase_state *state, enum phase told, int64_t now_ms)
{
    enum evidence_source source = decide(state, now_ms);

    return !state->ended && source != EVIDENCE_COUNT && state->evidence[source].phase == told &&
           enter(state, told, source, now_ms);
}

static void note_dialog(struct phase_state *state, enum evidence_source source,
                        const struct evidence *evidence)
{
    if (source == EVIDENCE_SCREEN && evidence->phase == PHASE_APPROVAL)
        state->dialog_ms = last_seen(evidence);
}

bool phase_observe(struct phase_state *state, enum evidence_source source, const struct evidence *evidence)
{
    struct evidence *kept = &state->evidence[source];
    bool moved = evidence->until_ms != kept->until_ms, same;
    int64_t at = kept->at_ms;
    uint64_t became = kept->became;

    if (state->ended)
        return false;
    same = at != 0 && kept->phase == evidence->phase && source != EVIDENCE_USER;
    *kept = *evidence;
    kept->seen_ms = last_seen(evidence);
    kept->said = kept->became = ++state->order;
    if (same) {
        kept->at_ms = at;
        kept->became = became;
    }
    note_dialog(state, source, kept);
    return settle(state, last_seen(evidence)) || (moved && state->source == source);
}

bool phase_withdraw(struct phase_state *state, enum evidence_source source, int64_t now_ms)
{
    if (state->ended || state->evidence[source].at_ms == 0)
        return false;
    state->evidence[source] = (struct evidence){0};
    return settle(state, now_ms);
}

void phase_output(struct phase_state *state, int64_t now_ms)
{
    state->output_ms = now_ms;
}

bool phase_tick(struct phase_state *state, int64_t now_ms, int64_t *next_ms)
{
    bool changed;

    *next_ms = 0;
    if (state->ended)
        return false;
    changed = settle(state, now_ms);
    *next_ms = state->next_ms;
    return changed;
}

void phase_end(struct phase_state *state, enum phase phase, const char *detail, int64_t now_ms)
{
    struct evidence *process = &state->evidence[EVIDENCE_PROCESS];

    memset(state->evidence, 0, sizeof state->evidence);
    process->phase = phase;
    process->at_ms = now_ms;
    (void)snprintf(process->detail, sizeof process->detail, "%s", detail);
    (void)enter(state, phase, EVIDENCE_PROCESS, now_ms);
    state->next_ms = 0;
    state->ended = true;
}
