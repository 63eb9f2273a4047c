#include "agent/detector.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

#define GROWING_MS 800
#define SILENT_MS                                                                                            \
    1000 /* after which a program that runs and is not known to show anything does not start any more */
#define STRANGE_MS 20000 /* after which a program that shows nothing known does not start any more */
#define DAY_S (24 * 60 * 60)
#define UNMATCHED_MS 300 /* a screen that no rule knows must stay so long before it counts */

void detector_init(struct detector *detector, const struct rules *rules, int64_t now_ms)
{
    *detector = (struct detector){.match.phase = PHASE_COUNT};
    program_status_init(&detector->status);
    phase_init(&detector->phase, now_ms);
    detector_set_rules(detector, rules);
}

void detector_finish(struct detector *detector)
{
    program_status_finish(&detector->status);
}

void detector_set_rules(struct detector *detector, const struct rules *rules)
{
    detector->rules = rules;
    detector->phase.proofs = *rules_proofs(rules);
}

/* ---- evidence ---- */

static bool is_ignored(const struct detector *detector, enum evidence_source source)
{
    return (detector->ignored & 1u << source) != 0;
}

static bool give(struct detector *detector, enum evidence_source source, struct evidence *evidence)
{
    size_t length = strlen(evidence->detail);

    if (is_ignored(detector, source))
        return false;
    /* The cut may have split a character; some pad their titles. */
    length -= (size_t)utf8_incomplete_tail(evidence->detail, length);
    while (length > 0 && evidence->detail[length - 1] == ' ')
        length--;
    evidence->detail[length] = '\0';
    if (source <= EVIDENCE_SCREEN)
        detector->spoke = true;
    return phase_observe(&detector->phase, source, evidence);
}

bool detector_observe(struct detector *detector, enum evidence_source source, enum phase phase, bool coarse,
                      const char *label, const char *detail, int64_t until_ms, int64_t now_ms)
{
    struct evidence evidence = {.phase = phase, .coarse = coarse, .at_ms = now_ms, .until_ms = until_ms};

    (void)snprintf(evidence.detail, sizeof evidence.detail, "%s%s", label, detail == NULL ? "" : detail);
    return give(detector, source, &evidence);
}

bool detector_withdraw(struct detector *detector, enum evidence_source source, int64_t now_ms)
{
    return phase_withdraw(&detector->phase, source, now_ms);
}

bool detector_title(struct detector *detector, const char *title, int64_t now_ms)
{
    struct rules_title found = rules_title(detector->rules, title);

    if (found.phase == PHASE_COUNT)
        return !detector->progress && detector_withdraw(detector, EVIDENCE_TITLE, now_ms);
    detector->progress = false;
    return detector_observe(detector, EVIDENCE_TITLE, found.phase, found.coarse, "title: ", title, 0, now_ms);
}

bool detector_progress(struct detector *detector, int state, int64_t now_ms)
{
    bool works = state == 1 || state == 3, before = detector->progress;

    if (!before && detector->phase.evidence[EVIDENCE_TITLE].at_ms != 0)
        return false;
    detector->progress = works;
    if (works)
        return detector_observe(detector, EVIDENCE_TITLE, PHASE_THINKING, true, "progress", "", 0, now_ms);
    return before && detector_withdraw(detector, EVIDENCE_TITLE, now_ms);
}

static bool observe_status(struct detector *detector, int64_t now_ms)
{
    static const char *const kinds[] = {"blocked", "blocked: permission", "blocked: question",
                                        "blocked: auth"};
    const struct status_record *record = program_status_summary(&detector->status);

    if (record == NULL)
        return detector_withdraw(detector, EVIDENCE_STATUS, now_ms);
    switch (record->state) {
    case STATUS_WORKING:
        return detector_observe(detector, EVIDENCE_STATUS, PHASE_THINKING, true, "working", "", 0, now_ms);
    case STATUS_BLOCKED:
        return detector_observe(detector, EVIDENCE_STATUS, PHASE_APPROVAL, false, kinds[record->kind], "", 0,
                                now_ms);
    case STATUS_ERROR:
        return detector_observe(detector, EVIDENCE_STATUS, PHASE_IDLE, false, "error: ", record->message, 0,
                                now_ms);
    case STATUS_DONE:
    case STATUS_IDLE:
    case STATUS_NONE:
        break;
    }
    return detector_observe(detector, EVIDENCE_STATUS, PHASE_IDLE, false,
                            record->state == STATUS_DONE ? "done" : "idle", "", 0, now_ms);
}

bool detector_status(struct detector *detector, const char *payload, size_t length, int64_t now_ms)
{
    return program_status_report(&detector->status, payload, length) && observe_status(detector, now_ms);
}

bool detector_status_settle(struct detector *detector, int64_t now_ms)
{
    if (detector->status.count == 0)
        return false;
    program_status_settle(&detector->status);
    return observe_status(detector, now_ms);
}

bool detector_status_clear(struct detector *detector, int64_t now_ms)
{
    if (detector->status.count == 0)
        return false;
    program_status_clear(&detector->status);
    return observe_status(detector, now_ms);
}

/* ---- the screen ---- */

/* When the output has paused, for screens are drawn in steps; but not later than that after it began. */
static void plan_look(struct detector *detector, int64_t now_ms)
{
    if (detector->look_ms == 0)
        detector->unlooked_ms = now_ms;
    detector->look_ms = now_ms + DETECTOR_LOOK_MS;
    if (detector->look_ms > detector->unlooked_ms + DETECTOR_INTERVAL_MS)
        detector->look_ms = detector->unlooked_ms + DETECTOR_INTERVAL_MS;
    if (detector->look_ms < detector->looked_ms + DETECTOR_INTERVAL_MS)
        detector->look_ms = detector->looked_ms + DETECTOR_INTERVAL_MS;
}

bool detector_output(struct detector *detector, int64_t now_ms)
{
    bool first = !detector->output_seen;

    detector->output_seen = true;
    phase_output(&detector->phase, now_ms);
    if (rules_know_screen(detector->rules))
        plan_look(detector, now_ms);
    /* A program whose prompt box is known still starts until it is there. */
    if (first)
        detector->first_output_ms = now_ms;
    if (!first || rules_know_box(detector->rules))
        return false;
    return detector_observe(detector, EVIDENCE_PROCESS, PHASE_UNKNOWN, false,
                            "the program has written something", "", 0, now_ms);
}

void detector_started(struct detector *detector, int64_t started_ms)
{
    detector->started_ms = started_ms;
}

void detector_postpone(struct detector *detector, int64_t until_ms)
{
    if (detector->look_ms != 0 && detector->look_ms < until_ms)
        detector->look_ms = until_ms;
}

bool detector_wants_screen(const struct detector *detector, int64_t now_ms)
{
    return detector->look_ms != 0 && now_ms >= detector->look_ms;
}

static void note_growth(struct detector *detector, const char *text, int line, int64_t now_ms)
{
    uint32_t hash = rules_text_hash(text, line);

    if (hash == detector->text)
        return;
    detector->text = hash;
    detector->growths = now_ms < detector->grown_ms + GROWING_MS ? detector->growths + 1 : 1;
    detector->grown_ms = detector->phase.text_ms = now_ms;
}

/* Once is a line that was added, twice in a row is text that is being written. */
static bool is_growing(const struct detector *detector, int64_t now_ms)
{
    return detector->growths > 1 && now_ms < detector->grown_ms + GROWING_MS;
}

/* No rule speaks: what was believed stays for a moment, for screens are drawn in steps. */
static bool unmatched(struct detector *detector, int64_t now_ms)
{
    const struct evidence *screen = &detector->phase.evidence[EVIDENCE_SCREEN];

    if (screen->at_ms == 0)
        return false;
    if (detector->unmatched_ms == 0)
        detector->unmatched_ms = now_ms;
    if (now_ms < detector->unmatched_ms + UNMATCHED_MS)
        return false;
    if (screen->phase == PHASE_APPROVAL)
        return detector_observe(detector, EVIDENCE_SCREEN, PHASE_UNKNOWN, false, "the dialog is gone", "", 0,
                                now_ms);
    return detector_withdraw(detector, EVIDENCE_SCREEN, now_ms);
}

/* The next time that a clock shows this. */
static int64_t next_clock(int minutes, int64_t wall_ms)
{
    time_t now = (time_t)(wall_ms / 1000), at;
    struct tm local;

    if (localtime_r(&now, &local) == NULL)
        return 0;
    local.tm_hour = minutes / 60;
    local.tm_min = minutes % 60;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    at = mktime(&local);
    if (at < now)
        at += DAY_S;
    return (int64_t)at * 1000;
}

static int64_t until_of(const struct rules_match *match, int64_t wall_ms)
{
    return match->wait_ms >= 0 ? wall_ms + match->wait_ms
           : match->clock >= 0 ? next_clock(match->clock, wall_ms)
                               : 0;
}

static bool matched(struct detector *detector, int64_t now_ms, int64_t wall_ms)
{
    const struct rules_match *match = &detector->match;
    bool changed = detector_observe(detector, EVIDENCE_SCREEN, match->phase, match->coarse,
                                    "screen: ", match->detail, until_of(match, wall_ms), now_ms);

    if (!detector->box_seen && match->phase != PHASE_INITIALIZING) {
        detector->box_seen = true;
        changed = detector_observe(detector, EVIDENCE_PROCESS, PHASE_UNKNOWN, false, "nothing is known", "",
                                   0, now_ms) ||
                  changed;
    }
    return changed;
}

static struct rules_seen seen_now(const struct detector *detector, int64_t now_ms)
{
    return (struct rules_seen){.growing = is_growing(detector, now_ms),
                               .working = phase_is_working(detector->phase.phase)};
}

bool detector_line(struct detector *detector, const char *line, int64_t now_ms, int64_t wall_ms)
{
    struct rules_seen seen = seen_now(detector, now_ms);

    if (seen.growing != detector->seen.growing || seen.working != detector->seen.working ||
        !rules_screen_again(detector->rules, line, &detector->match))
        return false;
    detector->look_ms = 0;
    detector->looked_ms = now_ms;
    (void)matched(detector, now_ms, wall_ms);
    return true;
}

bool detector_screen(struct detector *detector, const char *text, bool complete, int64_t now_ms,
                     int64_t wall_ms)
{
    if (!complete) {
        detector->look_ms = now_ms + DETECTOR_LOOK_MS;
        return false;
    }
    detector->look_ms = 0;
    detector->looked_ms = now_ms;
    detector->seen = seen_now(detector, now_ms);
    detector->match = rules_screen(detector->rules, text, detector->seen);
    note_growth(detector, text, detector->match.line < 0 ? INT_MAX : detector->match.line, now_ms);
    if (detector->match.phase == PHASE_COUNT)
        return unmatched(detector, now_ms);
    detector->unmatched_ms = 0;
    return matched(detector, now_ms, wall_ms);
}

/* ---- the person ---- */

bool detector_interrupted(struct detector *detector, const char *key, int64_t now_ms)
{
    if (!phase_is_working(detector->phase.phase) || !detector->spoke)
        return false;
    return detector_observe(detector, EVIDENCE_USER, PHASE_IDLE, false, key, " typed", 0, now_ms);
}

bool detector_entered(struct detector *detector, int64_t now_ms)
{
    if (detector->phase.phase != PHASE_IDLE || !detector->spoke)
        return false;
    return detector_observe(detector, EVIDENCE_USER, PHASE_CONNECTING, false, "Enter typed", "", 0, now_ms);
}

/* ---- time ---- */

static void sooner(int64_t *next_ms, int64_t at_ms)
{
    if (at_ms != 0 && (*next_ms == 0 || at_ms < *next_ms))
        *next_ms = at_ms;
}

/* Nothing that the program shows is known so far. */
static bool is_strange(const struct detector *detector)
{
    return detector->output_seen && !detector->spoke && !detector->box_seen &&
           rules_know_box(detector->rules);
}

static bool never_known(struct detector *detector, int64_t now_ms)
{
    if (detector->strange || !is_strange(detector) || now_ms < detector->first_output_ms + STRANGE_MS)
        return false;
    detector->strange = true;
    return detector_observe(detector, EVIDENCE_PROCESS, PHASE_UNKNOWN, false,
                            "no rule knows its titles or its screen", "", 0, now_ms);
}

/* It runs, and what it draws once it has started is not known. */
static bool is_silent(const struct detector *detector)
{
    return detector->started_ms != 0 && !detector->output_seen && !detector->spoke &&
           !rules_know_box(detector->rules) &&
           detector->phase.evidence[EVIDENCE_PROCESS].phase == PHASE_INITIALIZING;
}

static bool silent(struct detector *detector, int64_t now_ms)
{
    return is_silent(detector) && now_ms >= detector->started_ms + SILENT_MS &&
           detector_observe(detector, EVIDENCE_PROCESS, PHASE_UNKNOWN, false,
                            "the program runs and has written nothing", "", 0, now_ms);
}

bool detector_tick(struct detector *detector, int64_t now_ms, int64_t *next_ms)
{
    bool changed = false;

    if (detector->unmatched_ms != 0)
        changed = unmatched(detector, now_ms);
    changed = never_known(detector, now_ms) || changed;
    changed = silent(detector, now_ms) || changed;
    changed = phase_tick(&detector->phase, now_ms, next_ms) || changed;
    if (is_silent(detector))
        sooner(next_ms, detector->started_ms + SILENT_MS);
    if (is_strange(detector) && !detector->strange)
        sooner(next_ms, detector->first_output_ms + STRANGE_MS);
    sooner(next_ms, detector->look_ms);
    if (detector->unmatched_ms != 0 && detector->phase.evidence[EVIDENCE_SCREEN].at_ms != 0 &&
        now_ms < detector->unmatched_ms + UNMATCHED_MS)
        sooner(next_ms, detector->unmatched_ms + UNMATCHED_MS);
    return changed;
}
