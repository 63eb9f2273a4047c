#include "cli/headless_tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"

#define HEARTBEAT_MS 30000
#define APPROVAL_MS 600000
#define COUNTDOWN_MS 600000
#define LAST_MS 60000
#define PROMPT_ROWS 3
#define TOOL_ROWS 2
#define NEAR_LIMIT 80 /* per cent of a window from which it is told */

static int64_t monotonic_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

void headless_teller_init(struct headless_teller *teller, struct headless_log *log,
                          const struct headless_state *state)
{
    *teller = (struct headless_teller){.log = log, .state = state, .said_ms = monotonic_ms()};
    buffer_init(&teller->words.pending);
}

void headless_teller_finish(struct headless_teller *teller)
{
    buffer_finish(&teller->words.pending);
    free(teller->error);
}

/* ---- pieces ---- */

static int64_t event_ms(const json_t *event)
{
    int64_t at;

    return clock_parse_rfc3339(json_member_string(event, "time", ""), &at) == 0 ? at : clock_realtime_ms();
}

static void entry(struct headless_teller *teller, int64_t at_ms, enum headless_style style, int rows,
                  const char *text)
{
    headless_log_words(teller->log, &teller->words, teller->state->name, at_ms, NULL);
    headless_log_entry(teller->log, at_ms, teller->state->name, style, rows, text);
    teller->said_ms = monotonic_ms();
}

void headless_teller_say(struct headless_teller *teller, enum headless_style style, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    entry(teller, clock_realtime_ms(), style, 0, text);
}

static void tell(struct headless_teller *teller, const json_t *event, enum headless_style style, int rows,
                 char *text)
{
    entry(teller, event_ms(event), style, rows, text);
    free(text);
}

static void duration(int64_t ms, char text[16])
{
    clock_format_duration_ms(ms, text, 16);
}

/* "2h07m (16:05)"; allocated. */
static char *when(int64_t at_ms)
{
    return cli_when(at_ms, clock_realtime_ms(), "");
}

static int64_t time_member(const json_t *event, const char *key)
{
    int64_t at = 0;

    return clock_parse_rfc3339(json_member_string(event, key, ""), &at) == 0 ? at : 0;
}

/* ---- beginning and end ---- */

static void started(struct headless_teller *teller, const json_t *event)
{
    const struct headless_state *state = teller->state;
    int attempt = (int)json_member_integer(event, "attempt", 1);

    if (attempt > 1) {
        tell(teller, event, STYLE_ACCENT, 0, xasprintf("attempt %d started", attempt));
        return;
    }
    tell(teller, event, STYLE_ACCENT, 0,
         xasprintf("started: %s in %s, %s mode", state->agent, state->folder, state->mode));
    if (state->recording != NULL)
        tell(teller, event, STYLE_DIM, 0, xasprintf("recording: %s", state->recording));
    if (state->prompt != NULL)
        tell(teller, event, STYLE_PLAIN, PROMPT_ROWS, xasprintf("prompt: %s", state->prompt));
}

static void turn_ended(struct headless_teller *teller, const json_t *event)
{
    const char *outcome = json_member_string(event, "outcome", "unknown");
    bool good = strcmp(outcome, "completed") == 0;
    bool again = json_is_string(json_object_get(event, "retry"));

    tell(teller, event, good ? STYLE_GOOD : STYLE_WARN, 0,
         xasprintf("turn %d: %s%s%s", (int)json_member_integer(event, "turn", 0), outcome,
                   json_member_bool(event, "partial", 0) ? ", the answer is incomplete" : "",
                   again ? "; it is tried again" : ""));
}

static void session_ended(struct headless_teller *teller, const json_t *event)
{
    const char *outcome = json_member_string(event, "state", "failed");
    const json_t *last_error = json_object_get(event, "last_error");
    const char *message = json_member_string(last_error, "message", NULL);
    bool good = strcmp(outcome, "completed") == 0;
    char text[16];

    /* An error says it once. */
    if (good || (message != NULL && teller->error != NULL && strcmp(teller->error, message) == 0))
        message = NULL;
    duration(teller->state->began_ms == 0 ? 0 : event_ms(event) - teller->state->began_ms, text);
    tell(teller, event, good ? STYLE_GOOD : STYLE_BAD, 0,
         xasprintf("%s after %s%s%s", outcome, text, message == NULL ? "" : ": ",
                   message == NULL ? "" : message));
    if (!good && json_member_string(last_error, "hint", NULL) != NULL)
        tell(teller, event, STYLE_DIM, 0, xstrdup(json_member_string(last_error, "hint", "")));
}

/* ---- what the agent does ---- */

static void text_said(struct headless_teller *teller, const json_t *event)
{
    headless_log_words(teller->log, &teller->words, teller->state->name, event_ms(event),
                       json_member_string(event, "text", ""));
    teller->said_ms = monotonic_ms();
}

void headless_teller_printed(struct headless_teller *teller, const char *line)
{
    headless_log_entry(teller->log, clock_realtime_ms(), teller->state->name, STYLE_PLAIN, 0, line);
    teller->said_ms = monotonic_ms();
}

static void tool_called(struct headless_teller *teller, const json_t *event)
{
    const char *summary = json_member_string(event, "summary", "");

    tell(teller, event, STYLE_PLAIN, TOOL_ROWS,
         xasprintf("%s%s%s", json_member_string(event, "tool", "tool"), *summary != '\0' ? ": " : "",
                   summary));
}

static void tool_answered(struct headless_teller *teller, const json_t *event)
{
    bool failed = json_member_bool(event, "failed", 0);
    const char *output = json_member_string(event, "output", "");
    int64_t since;
    char *title = headless_state_tool(teller->state, json_member_string(event, "tool_id", ""), &since);
    char text[16];

    duration(event_ms(event) - since, text);
    tell(teller, event, failed ? STYLE_WARN : STYLE_DIM, TOOL_ROWS,
         xasprintf("%s %s%s%s%s%.*s", title != NULL ? title : "tool", failed ? "failed" : "done",
                   since != 0 ? " after " : "", since != 0 ? text : "", failed && *output != '\0' ? ": " : "",
                   failed ? (int)strcspn(output, "\n") : 0, output));
    free(title);
}

static void file_changed(struct headless_teller *teller, const json_t *event)
{
    const char *path = json_member_string(event, "path", NULL);
    const json_t *added = json_object_get(event, "lines_added"),
                 *removed = json_object_get(event, "lines_removed");

    if (path == NULL)
        tell(teller, event, STYLE_DIM, 0,
             xasprintf("%d more files changed", (int)json_member_integer(event, "count", 0)));
    else if (json_is_integer(added) || json_is_integer(removed))
        tell(teller, event, STYLE_DIM, 0,
             xasprintf("file %s: %s (+%d -%d)", json_member_string(event, "change", "changed"), path,
                       (int)json_integer_value(added), (int)json_integer_value(removed)));
    else
        tell(teller, event, STYLE_DIM, 0,
             xasprintf("file %s: %s", json_member_string(event, "change", "changed"), path));
}

static void stderr_said(struct headless_teller *teller, const json_t *event)
{
    int omitted = (int)json_member_integer(event, "omitted", 0);

    if (omitted > 0)
        tell(teller, event, STYLE_DIM, 0, xasprintf("stderr: %d more lines", omitted));
    else
        tell(teller, event, STYLE_DIM, TOOL_ROWS,
             xasprintf("stderr: %s", json_member_string(event, "text", "")));
}

/* ---- people ---- */

static void approval_requested(struct headless_teller *teller, const json_t *event)
{
    const char *tool = json_member_string(event, "tool", NULL);
    const char *input = json_member_string(event, "input", "");

    teller->approval = true;
    tell(teller, event, STYLE_WARN, TOOL_ROWS + 1,
         xasprintf("needs a person (%s)%s%s: %s", json_member_string(event, "kind", "permission"),
                   tool != NULL ? " for " : "", tool != NULL ? tool : "", input));
    tell(teller, event, STYLE_WARN, 0,
         xasprintf(
             "it waits until somebody runs `ganger approve %s` or `ganger deny %s`, or --timeout is over",
             teller->state->name, teller->state->name));
}

static void approval_resolved(struct headless_teller *teller, const json_t *event)
{
    teller->approval = false;
    tell(teller, event, STYLE_PLAIN, 0,
         xasprintf("the request was %s", json_member_string(event, "decision", "answered")));
}

static void prompt_queued(struct headless_teller *teller, const json_t *event)
{
    if (json_member_bool(event, "retry", 0) || strcmp(json_member_string(event, "change", ""), "added") != 0)
        return;
    tell(teller, event, STYLE_PLAIN, PROMPT_ROWS,
         xasprintf("prompt: %s", json_member_string(event, "text", "")));
}

/* ---- limits and what goes wrong ---- */

static void limit_told(struct headless_teller *teller, const json_t *event)
{
    double percent = json_member_number(event, "percent", -1);
    const char *window = json_member_string(event, "window", "its account");
    bool refused = json_member_bool(event, "refused", 0);
    int64_t resets = time_member(event, "resets_at");
    char *until = when(resets);

    if (refused)
        tell(teller, event, STYLE_WARN, 0,
             xasprintf("limit reached (%s)%s%s", window, resets != 0 ? ", resets in " : "",
                       resets != 0 ? until : ""));
    else if (percent >= NEAR_LIMIT && (int)percent >= teller->percent + 5)
        tell(teller, event, STYLE_WARN, 0, xasprintf("limit (%s): %.0f%% used", window, percent));
    if (percent >= 0 && (percent < NEAR_LIMIT || (int)percent >= teller->percent + 5))
        teller->percent = (int)percent;
    free(until);
}

static void retry_told(struct headless_teller *teller, const json_t *event)
{
    const json_t *of = json_object_get(event, "of");
    const char *message = json_member_string(event, "message", ""),
               *class = json_member_string(event, "class", "");
    int64_t until = time_member(event, "until");
    char *in = when(until), *number;

    number = json_is_integer(of) ? xasprintf("%d of %d", (int)json_member_integer(event, "number", 1),
                                             (int)json_integer_value(of))
                                 : xasprintf("%d", (int)json_member_integer(event, "number", 1));
    tell(teller, event, STYLE_WARN, 0,
         xasprintf("retry %s%s%s%s%s%s%s", number, until != 0 ? " in " : "", until != 0 ? in : "",
                   *class != '\0' ? ", " : "", class, *message != '\0' ? ": " : "", message));
    free(number);
    free(in);
}

static void account_switched(struct headless_teller *teller, const json_t *event)
{
    tell(teller, event, STYLE_WARN, 0,
         xasprintf("account: %s instead of %s%s", json_member_string(event, "to", "the agent's own login"),
                   json_member_string(event, "from", "the agent's own login"),
                   json_member_bool(event, "carried", 1) ? "" : "; the conversation begins afresh"));
}

static void problem(struct headless_teller *teller, const json_t *event, const char *what,
                    enum headless_style style)
{
    /* What to do about an error of a class is said at the end: it may pass before. */
    const char *hint =
        json_is_string(json_object_get(event, "class")) ? NULL : json_member_string(event, "hint", NULL);

    tell(teller, event, style, 0,
         xasprintf("%s: %s%s%s", what,
                   json_member_string(event, "message", json_member_string(event, "code", "?")),
                   hint != NULL ? "; " : "", hint != NULL ? hint : ""));
}

static void warned(struct headless_teller *teller, const json_t *event)
{
    problem(teller, event, "warning", STYLE_WARN);
}

static void failed(struct headless_teller *teller, const json_t *event)
{
    free(teller->error);
    teller->error = xstrdup(json_member_string(event, "message", ""));
    problem(teller, event, "error", STYLE_BAD);
}

static void cancelled(struct headless_teller *teller, const json_t *event)
{
    const char *scope = json_member_string(event, "scope", "");

    if (strcmp(scope, "session") == 0)
        tell(teller, event, STYLE_WARN, 0, xstrdup("the session is being ended"));
    else if (strcmp(scope, "turn") == 0)
        tell(teller, event, STYLE_WARN, 0, xstrdup("the turn is being interrupted"));
    else
        tell(teller, event, STYLE_WARN, 0,
             xasprintf("not tried again: %s", json_member_string(event, "reason", "")));
}

static void host_restarted(struct headless_teller *teller, const json_t *event)
{
    tell(teller, event, STYLE_WARN, 0, xstrdup("its host was replaced; the agent goes on"));
}

static void gap(struct headless_teller *teller, const json_t *event)
{
    tell(teller, event, STYLE_WARN, 0,
         json_is_integer(json_object_get(event, "bytes"))
             ? xasprintf("%lld bytes of output are missing from the recording",
                         (long long)json_member_integer(event, "bytes", 0))
             : xstrdup("events are missing"));
}

static void notified(struct headless_teller *teller, const json_t *event)
{
    const char *title = json_member_string(event, "title", "");

    tell(teller, event, STYLE_PLAIN, TOOL_ROWS,
         xasprintf("%s%s%s", title, *title != '\0' ? ": " : "", json_member_string(event, "text", "")));
}

/* ---- countdown and heartbeat ---- */

static void count_down(struct headless_teller *teller)
{
    int64_t now = clock_realtime_ms(), left = teller->waiting_for - now, step;
    char *until;

    if (left <= 0) {
        teller->countdown_ms = 0;
        return;
    }
    until = when(teller->waiting_for);
    headless_teller_say(teller, STYLE_DIM, "%s: goes on in %s", teller->state->phase, until);
    free(until);
    step = left / 2 < COUNTDOWN_MS ? left / 2 : COUNTDOWN_MS;
    if (left <= LAST_MS)
        teller->countdown_ms = 0;
    else
        teller->countdown_ms = left - step < LAST_MS ? teller->waiting_for - LAST_MS : now + step;
}

static void phase_changed(struct headless_teller *teller, const json_t *event)
{
    const char *phase = json_member_string(event, "phase", "");
    int64_t until = time_member(event, "until");

    if (strcmp(phase, "limited") != 0 && strcmp(phase, "retrying") != 0) {
        teller->waiting_for = teller->countdown_ms = 0;
        return;
    }
    if (until == 0 || until == teller->waiting_for)
        return;
    teller->waiting_for = until;
    /* Told once the state knows the phase. */
    teller->countdown_ms = clock_realtime_ms();
}

static int64_t pause_ms(const struct headless_teller *teller)
{
    if (teller->approval)
        return APPROVAL_MS;
    return headless_state_works(teller->state) ? HEARTBEAT_MS : -1;
}

static void heartbeat(struct headless_teller *teller)
{
    const struct headless_state *state = teller->state;
    char text[16];

    duration(clock_realtime_ms() - (state->since_ms != 0 ? state->since_ms : state->began_ms), text);
    if (teller->approval)
        headless_teller_say(teller, STYLE_WARN, "still needs a person: `ganger approve %s`", state->name);
    else if (state->tool[0] != '\0')
        headless_teller_say(teller, STYLE_DIM, "still running: %s %s", state->tool, text);
    else
        headless_teller_say(teller, STYLE_DIM, "still running: %s %s",
                            strcmp(state->phase, "unknown") == 0 ? state->agent : state->phase, text);
}

void headless_teller_tick(struct headless_teller *teller)
{
    int64_t pause = pause_ms(teller);

    if (teller->state->ended)
        return;
    if (teller->countdown_ms != 0 && clock_realtime_ms() >= teller->countdown_ms)
        count_down(teller);
    if (pause >= 0 && monotonic_ms() - teller->said_ms >= pause)
        heartbeat(teller);
}

int headless_teller_due(const struct headless_teller *teller)
{
    int64_t pause = pause_ms(teller), due = -1, left;

    if (teller->state->ended)
        return -1;
    if (pause >= 0)
        due = teller->said_ms + pause - monotonic_ms();
    left = teller->countdown_ms - clock_realtime_ms();
    if (teller->countdown_ms != 0 && (due < 0 || left < due))
        due = left;
    if (pause < 0 && teller->countdown_ms == 0)
        return -1;
    return due < 0 ? 0 : (int)due;
}

void headless_teller_event(struct headless_teller *teller, const json_t *event)
{
    static const struct {
        const char *type;
        void (*tell)(struct headless_teller *teller, const json_t *event);
    } kinds[] = {{"session_started", started},
                 {"turn_ended", turn_ended},
                 {"session_ended", session_ended},
                 {"text", text_said},
                 {"tool_call", tool_called},
                 {"tool_result", tool_answered},
                 {"file_changed", file_changed},
                 {"stderr", stderr_said},
                 {"approval_requested", approval_requested},
                 {"approval_resolved", approval_resolved},
                 {"prompt_queued", prompt_queued},
                 {"rate_limit", limit_told},
                 {"retry_scheduled", retry_told},
                 {"account_switched", account_switched},
                 {"warning", warned},
                 {"error", failed},
                 {"cancelled", cancelled},
                 {"host_restarted", host_restarted},
                 {"gap", gap},
                 {"notification", notified},
                 {"phase", phase_changed}};
    const char *type = json_member_string(event, "type", "");

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0)
            kinds[i].tell(teller, event);
    }
}
