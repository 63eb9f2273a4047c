#include "agent/phase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct evidence say(enum phase phase, int64_t at_ms)
{
    return (struct evidence){.phase = phase, .at_ms = at_ms};
}

static bool observe(struct phase_state *state, enum evidence_source source, enum phase phase, int64_t at_ms)
{
    struct evidence evidence = say(phase, at_ms);

    return phase_observe(state, source, &evidence);
}

TEST(names_round_trip)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        CHECK_NUMBER(phase_parse(phase_name(phase)), phase);
    CHECK_NUMBER(phase_parse("sleeping"), PHASE_COUNT);
}

/*
 * A case: what was said when, one word a line, and what is believed then.
 *
 *     10 title working      a source says a phase; "working": it works, at what is not known
 *     20 title -            it has nothing to say any more
 *     30 output             the program wrote something
 *     40 tick               time passes
 */
struct phase_case {
    const char *name, *steps, *phase, *source;
};

static const struct phase_case cases[] = {
    {"a higher rank wins whatever the order",
     "10 status approval/20 title working/30 process unknown/500 tick", "approval", "status"},
    {"withdrawn evidence leaves the next rank", "10 title working/20 status approval/400 status -/900 tick",
     "thinking", "title"},
    {"idle is debounced", "10 title working/400 title idle/500 tick", "thinking", "title"},
    {"idle that holds counts", "10 title working/400 title idle/701 tick", "idle", "title"},
    {"idle that does not hold never was", "10 title working/400 title idle/500 title working/900 tick",
     "thinking", "title"},
    {"silence is unknown, never idle", "10 process unknown/100000 tick", "unknown", "process"},
    {"silence keeps what was believed", "10 status working/1000 status working/100000 tick", "thinking",
     "status"},
    {"a flash of work is no work", "10 status idle/400 tick/1000 status working/1030 status idle/1600 tick",
     "idle", "status"},
    {"approval is not debounced", "10 status working/100 tick/500 status approval", "approval", "status"},
    {"a phase lasts 150 ms even before an approval",
     "10 status idle/400 tick/1000 status working/1060 tick/1070 status approval", "thinking", "status"},
    {"and then comes the approval",
     "10 status idle/400 tick/1000 status working/1060 tick/1070 status approval/1220 tick", "approval",
     "status"},
    {"a lower rank says at what it works", "10 status working/100 tick/500 screen tool/800 tick", "tool",
     "screen"},
    {"what is known exactly is not refined", "10 hook tool/100 tick/500 screen streaming/800 tick", "tool",
     "hook"},
    {"another kind of work must hold",
     "10 status working/100 screen thinking/400 tick/500 screen streaming/540 screen thinking/900 tick",
     "thinking", "screen"},
    {"the screen says that the agent retries", "10 status working/100 tick/500 screen retrying/800 tick",
     "retrying", "screen"},
    {"the latest of the program's own words: hook", "10 status working/100 tick/500 hook idle/900 tick",
     "idle", "hook"},
    {"the latest of the program's own words: status", "10 hook tool/100 tick/500 status idle/900 tick",
     "idle", "status"},
    {"a file beside the program's own words comes later",
     "10 status working/100 tick/500 server idle/900 tick", "thinking", "status"},
    {"without them it counts", "10 title working/100 tick/500 server idle/900 tick", "idle", "server"},
    {"a status that waits stands, whatever hook comes late", "10 status approval/100 hook idle/900 tick",
     "approval", "status"},
    {"a title is not the program's own word", "10 status working/100 tick/500 title idle/90000 tick",
     "thinking", "status"},
    {"a dialog on the screen overrules an idle title", "10 title idle/400 tick/1000 screen approval",
     "approval", "screen"},
    {"a dialog drawn before the status is no proof against it",
     "10 screen approval/400 status working/900 tick", "thinking", "status"},
    {"a dialog drawn after it is", "10 status idle/400 tick/1000 screen approval", "approval", "screen"},
    {"an approval ends 300 ms after its dialog",
     "10 status approval/20 screen approval/1000 screen thinking/1299 tick", "approval", "status"},
    {"and then what the screen shows counts",
     "10 status approval/20 screen approval/1000 screen thinking/1400 tick", "thinking", "screen"},
    {"an approval whose dialog was not seen stays", "10 status approval/20 screen idle/60000 tick",
     "approval", "status"},
    {"the dialog before this one proves nothing",
     "10 screen approval/100 screen thinking/5000 status approval/60000 tick", "approval", "status"},
    {"the next question waits for its own dialog",
     "10 status idle/400 screen approval/1000 screen tool/1200 tick/1700 hook approval/60000 tick",
     "approval", "hook"},
    {"work ends when the box is back and all is quiet",
     "10 hook tool/100 tick/1000 output/1000 screen idle/3000 tick", "idle", "screen"},
    {"not while something is written", "10 hook tool/100 tick/1000 screen idle/2000 output/3000 tick", "tool",
     "hook"},
    {"not without the box", "10 hook tool/100 tick/1000 output/60000 tick", "tool", "hook"},
    {"a spinner that turns on overrules an idle status",
     "10 status idle/400 tick/500 screen thinking/1600 screen thinking/1700 tick", "thinking", "screen"},
    {"a spinner that just stood there does not", "10 status idle/400 tick/500 screen thinking/3000 tick",
     "idle", "status"},
    {"beside a title it counts sooner", "10 title idle/400 tick/500 screen tool/700 tick", "tool", "screen"},
    {"waiting on the screen overrules an idle title", "10 title idle/400 tick/500 screen limited", "limited",
     "screen"},
    {"Escape counts at once", "10 status working/100 tick/1000 user idle/1301 tick", "idle", "user"},
    {"unless the agent goes on",
     "10 status working/100 tick/1000 user idle/1400 tick/2100 status working/2300 tick", "thinking",
     "status"},
    {"and until it says something else",
     "10 status working/100 tick/1000 user idle/1400 tick/1500 status approval/1800 tick", "approval",
     "status"},
    {"a sent prompt connects at once", "10 status idle/400 tick/1000 user connecting", "connecting", "user"},
    {"until the agent works", "10 status idle/400 tick/1000 user connecting/1200 status working/1500 tick",
     "thinking", "status"},
    {"a prompt that nothing came of was none", "10 screen idle/400 tick/1000 user connecting/2400 tick",
     "idle", "screen"},
    {"but a slow agent has its time", "10 screen idle/400 tick/1000 user connecting/1900 output/2400 tick",
     "connecting", "user"},
    {"a report after the prompt ends it, also one that says the same",
     "10 status idle/400 tick/1000 user connecting/1000 status idle/1500 tick", "idle", "status"},
    {"a title that says the same does not",
     "10 title idle/400 tick/1000 user connecting/1100 title idle/1500 tick", "connecting", "user"},
    {"a prompt right after a turn connects", "10 status idle/400 tick/460 user connecting", "connecting",
     "user"},
    {"the stream is the whole truth", "10 stream tool/100 tick/500 status idle/600 screen idle/60000 tick",
     "tool", "stream"},
};

static enum evidence_source source_parse(const char *name)
{
    enum evidence_source source = 0;

    while (source < EVIDENCE_COUNT && strcmp(evidence_source_name(source), name) != 0)
        source++;
    return source;
}

/* Everything that falls due before `to`, then the time itself. */
static void advance(struct phase_state *state, int64_t *now, int64_t to)
{
    int64_t next;

    (void)phase_tick(state, *now, &next);
    while (next != 0 && next < to) {
        *now = next > *now ? next : *now + 1;
        (void)phase_tick(state, *now, &next);
    }
    *now = to;
}

static void step(struct phase_state *state, int64_t *now, char *text)
{
    char *rest = text, *end;
    int64_t at = strtoll(strsep(&rest, " "), &end, 10), next;
    const char *who = strsep(&rest, " "), *what = strsep(&rest, " ");

    advance(state, now, at);
    if (strcmp(who, "tick") == 0) {
        (void)phase_tick(state, at, &next);
    } else if (strcmp(who, "output") == 0) {
        phase_output(state, at);
    } else if (strcmp(what, "-") == 0) {
        (void)phase_withdraw(state, source_parse(who), at);
    } else {
        bool coarse = strcmp(what, "working") == 0;
        struct evidence evidence = {
            .phase = coarse ? PHASE_THINKING : phase_parse(what), .coarse = coarse, .at_ms = at};
        (void)phase_observe(state, source_parse(who), &evidence);
    }
}

TEST(a_table_of_cases)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *steps = strdup(cases[i].steps), *rest = steps, *text;
        struct phase_state state;
        int64_t now = 1;
        phase_init(&state, 1);
        while ((text = strsep(&rest, "/")) != NULL)
            step(&state, &now, text);
        if (strcmp(phase_name(state.phase), cases[i].phase) != 0 ||
            strcmp(evidence_source_name(state.source), cases[i].source) != 0)
            printf("# %s: %s by %s, not %s by %s\n", cases[i].name, phase_name(state.phase),
                   evidence_source_name(state.source), cases[i].phase, cases[i].source);
        wrong += strcmp(phase_name(state.phase), cases[i].phase) != 0 ||
                 strcmp(evidence_source_name(state.source), cases[i].source) != 0;
        free(steps);
    }
    CHECK_NUMBER(wrong, 0);
}

TEST(what_was_overruled_is_known)
{
    struct phase_state state;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_TITLE, PHASE_IDLE, 10);
    (void)observe(&state, EVIDENCE_SCREEN, PHASE_APPROVAL, 400);
    CHECK_NUMBER(state.overruled_by[EVIDENCE_TITLE], EVIDENCE_SCREEN);
    CHECK_STRING(state.why[EVIDENCE_TITLE], "its dialog is on the screen");
}

TEST(an_end_is_final)
{
    struct phase_state state;
    int64_t next;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_STATUS, PHASE_IDLE, 10);
    phase_end(&state, PHASE_FAILED, "exit code 3", 20);
    CHECK(!observe(&state, EVIDENCE_STATUS, PHASE_THINKING, 30));
    CHECK(!phase_withdraw(&state, EVIDENCE_PROCESS, 40));
    CHECK(!phase_tick(&state, 1000, &next));
    CHECK_NUMBER(state.phase, PHASE_FAILED);
    CHECK_STRING(state.evidence[EVIDENCE_PROCESS].detail, "exit code 3");
}

TEST_MAIN
