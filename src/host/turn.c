/* Turns: one begins with a prompt or when the agent begins to work, and ends when it is idle again. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "host/accounting.h"
#include "host/host.h"
#include "host/turn.h"
#include "host/watch.h"

#define DRAWN_MS 1000 /* between what an agent writes of a turn and what it draws */

static bool is_part_of_turn(enum phase phase)
{
    return phase_is_working(phase) || phase == PHASE_APPROVAL || phase == PHASE_LIMITED ||
           phase == PHASE_RETRYING;
}

/* A host that follows another knows whether a turn is open. */
static void keep(struct host *host)
{
    const struct turn *turn = &host->activity.turn;

    session_keep(host, "turn",
                 json_pack("{sIsbsIso}", "number", (json_int_t)turn->number, "open", turn->open, "changed_ms",
                           (json_int_t)turn->changed_ms, "prompt_id", json_string_or_null(turn->prompt_id)));
    session_changed(host, true);
}

void turn_load(struct host *host)
{
    const json_t *kept = session_kept(&host->session, "turn");
    const char *prompt_id = json_member_string(kept, "prompt_id", NULL);
    struct turn *turn = &host->activity.turn;

    turn->number = (uint64_t)json_member_integer(kept, "number", 0);
    turn->open = json_member_bool(kept, "open", 0);
    turn->changed_ms = json_member_integer(kept, "changed_ms", 0);
    turn->worked = turn->open && is_part_of_turn(host->activity.reported);
    turn->prompt_id = prompt_id == NULL ? NULL : xstrdup(prompt_id);
}

void turn_begin(struct host *host, const char *prompt_id)
{
    struct turn *turn = &host->activity.turn;

    if (turn->open)
        turn_end(host, "unknown");
    turn->number++;
    turn->changed_ms = clock_realtime_ms();
    turn->open = true;
    turn->told = false;
    turn->worked = turn->cancelled = false;
    free(turn->prompt_id);
    turn->prompt_id = prompt_id == NULL ? NULL : xstrdup(prompt_id);
    turn_timer_began(host);
    keep(host);
    if (prompt_id != NULL || host->activity.entered)
        session_keep(host, "conversed", json_true());
    (void)events_emit(
        host, "turn_started",
        json_pack("{sIso}", "turn", (json_int_t)turn->number, "prompt_id", json_string_or_null(prompt_id)));
    retrying_turn_began(host, prompt_id);
    progress_turn_began(host);
    watch_turn_began(host);
}

void turn_end(struct host *host, const char *outcome)
{
    struct turn *turn = &host->activity.turn;
    char next[RETRY_ID_SIZE];
    bool goes_on;

    if (!turn->open)
        return;
    watch_settle(host);
    turn->open = false;
    turn->changed_ms = clock_realtime_ms();
    /* Some agents put the prompt of a turn that was interrupted back into their box. */
    host->delivery.clear = turn->cancelled || strcmp(outcome, "cancelled") == 0;
    if (turn->cancelled)
        outcome = "cancelled";
    outcome = turn_timer_ended(host, outcome);
    goes_on = retrying_intended(host, outcome, next);
    (void)events_emit(host, "turn_ended",
                      json_pack("{sI so ss so sb}", "turn", (json_int_t)turn->number, "prompt_id",
                                json_string_or_null(turn->prompt_id), "outcome", outcome, "retry",
                                json_string_or_null(goes_on ? next : NULL), "partial",
                                host->retrying.spoke && strcmp(outcome, "completed") != 0));
    free(turn->prompt_id);
    turn->prompt_id = NULL;
    keep(host);
    /* What went wrong before is mended. */
    if (strcmp(outcome, "completed") == 0)
        session_set_error(host, NULL, NULL, NULL, NULL);
    retrying_turn_ended(host, outcome);
    headless_turn_ended(host, outcome);
    accounting_usage(host);
}

bool turn_is_past(const struct host *host, int64_t at_ms)
{
    return at_ms != 0 && at_ms < host->activity.turn.changed_ms;
}

/* That the agent works was seen before the turn ended, and is told after: phases wait a little. An agent that tells its turns
 * by itself may draw a little later than it writes. */
static bool is_late(const struct host *host)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    int64_t seen_ms = phase->evidence[phase->source].at_ms,
            drawn_ms = host->activity.turn.told ? DRAWN_MS : 0;

    return seen_ms != 0 && turn_is_past(host, clock_realtime_ms() - (host_now_ms() - seen_ms) - drawn_ms);
}

void turn_follow(struct host *host, enum phase phase)
{
    struct turn *turn = &host->activity.turn;

    if (phase_is_working(phase) && !turn->open && !is_late(host))
        turn_begin(host, NULL);
    turn_timer_follow(host, phase);
    if (is_part_of_turn(phase))
        turn->worked = true;
    else if (phase == PHASE_IDLE && turn->worked) {
        /* Its own record may know better how it ended. */
        side_files_settle(host);
        turn_end(host, "completed");
    } else if (phase == PHASE_COMPLETED)
        turn_end(host, "completed");
    else if (phase_is_end(phase))
        turn_end(host, phase == PHASE_FAILED ? "failed" : phase_name(phase));
    progress_follow(host, phase);
    if (phase_is_end(phase))
        watch_stop(host);
}
