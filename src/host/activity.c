#include "host/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "host/approvals.h"
#include "host/host.h"
#include "host/turn.h"

#define TITLE_INTERVAL_MS 1000
#define SPINNER_MS 250     /* between two looks at a screen of which only the spinner turns */
#define SAME_ERROR_MS 5000 /* between an error told in words and a bare report of it */

/* Nothing changed since the last look but the line that decided then: a spinner turns. */
static bool only_that_line(const struct activity *activity, const struct terminal *terminal)
{
    int line = activity->detector.match.line;

    if (line < 0 || line >= terminal_rows(terminal) || activity->looked_epoch != terminal_epoch(terminal))
        return false;
    for (int y = 0; y < terminal_rows(terminal); y++) {
        if (y != line && terminal_row_changed(terminal, y, activity->looked_version))
            return false;
    }
    return true;
}

static void look_at(struct host *host, int64_t now)
{
    struct activity *activity = &host->activity;
    const struct terminal *terminal = host->attempt.terminal;
    bool complete = !terminal_modes(terminal).synchronized, known = false;
    struct buffer text;

    buffer_init(&text);
    if (complete && only_that_line(activity, terminal)) {
        terminal_row_text(terminal, activity->detector.match.line, &text);
        text.bytes[text.length - 1] = '\0';
        known = detector_line(&activity->detector, text.bytes, now, clock_realtime_ms());
        text.length = 0;
    }
    if (!known) {
        terminal_text(terminal, &text);
        (void)detector_screen(&activity->detector, text.bytes, complete, now, clock_realtime_ms());
    }
    if (complete) {
        activity->looked_version = terminal_version(terminal);
        activity->looked_epoch = terminal_epoch(terminal);
    }
    buffer_finish(&text);
}

/* A look while the output is at hand costs no wake-up of its own; the timer is for the last frame of a spinner that
 * stops. */
static void look_at_spinner(struct host *host)
{
    struct activity *activity = &host->activity;
    int64_t now = host_now_ms();

    if (now < activity->detector.looked_ms + SPINNER_MS) {
        detector_postpone(&activity->detector, activity->detector.looked_ms + 2 * SPINNER_MS);
    } else {
        look_at(host, now);
        event_del(activity->timer);
    }
}

/* The agent's rules are asked about the screen, when they are due. */
static void look(struct host *host, int64_t now)
{
    if (!detector_wants_screen(&host->activity.detector, now) || host->attempt.terminal == NULL)
        return;
    look_at(host, now);
    approvals_look(host);
}

/* A version of the agent that nobody has seen: said once in an attempt. */
static void say_strange(struct host *host)
{
    if (!host->activity.detector.strange || host->activity.strange_said)
        return;
    host->activity.strange_said = true;
    host_warn(host, "unknown_screen",
              "no rule knows what %s shows (they were made for %s): its phase stays unknown; `ganger replay "
              "--detect %s` "
              "helps to repair them",
              host->driver->name, *rules_seen(host->rules) == '\0' ? "no version" : rules_seen(host->rules),
              session_name(&host->session));
}

static void arm(struct host *host)
{
    struct activity *activity = &host->activity;
    int64_t next, now = host_now_ms();

    if (host->attempt.replaying || activity->detector.phase.ended)
        return;
    look(host, now);
    (void)detector_tick(&activity->detector, now, &next);
    say_strange(host);
    if (next != 0)
        host_timer(activity->timer, (next > now ? next - now : 1) * 1000000);
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    activity_tell(argument);
}

/* ---- titles ---- */

/* A spinner before the words is drawn ten times a second: what follows it is the title. */
static bool is_spinner(uint32_t code)
{
    return code == ' ' || code == '*' || code == 0xB7 || (code >= 0x2000 && code < 0x2C00) ||
           (code >= 0x1F300 && code < 0x1FB00) || code == 0xFE0F;
}

/* "[ ! ] Action Required": a mark that blinks. */
static size_t blinking_mark(const char *title)
{
    return title[0] == '[' && title[1] == ' ' && title[2] != '\0' && title[3] == ' ' && title[4] == ']' ? 5
                                                                                                        : 0;
}

static const char *title_words(const char *title)
{
    size_t length = strlen(title), at = blinking_mark(title);
    uint32_t code;

    while (at < length) {
        int used = utf8_decode(title + at, length - at, &code);
        if (used <= 0 || !is_spinner(code))
            break;
        at += (size_t)used;
    }
    return title + at;
}

static void tell_title(struct host *host)
{
    struct activity *activity = &host->activity;
    const char *title, *words;
    size_t length;
    char *text;

    if (host->attempt.terminal == NULL)
        return;
    title = terminal_title(host->attempt.terminal);
    words = title_words(title);
    length = strlen(words);
    /* Some pad their titles. */
    while (length > 0 && words[length - 1] == ' ')
        length--;
    text = xstrndup(words, length);
    if (strcmp(text, activity->title != NULL ? activity->title : "") == 0) {
        free(text);
        return;
    }
    free(activity->title);
    activity->title = text;
    activity->title_at = host_now_ms();
    session_set(host, "title", *text == '\0' ? json_null() : json_string_or_null(text));
    session_changed(host, false);
    (void)events_emit(host, "title", json_pack("{so}", "title", json_string_or_null(text)));
}

static void title_timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    tell_title(argument);
}

static void schedule_title(struct host *host)
{
    struct activity *activity = &host->activity;
    int64_t due = activity->title_at + TITLE_INTERVAL_MS - host_now_ms();

    if (due <= 0)
        tell_title(host);
    else if (!event_pending(activity->title_timer, EV_TIMEOUT, NULL))
        host_timer(activity->title_timer, due * 1000000);
}

/* ---- evidence ---- */

static void told(struct host *host)
{
    if (!host->attempt.replaying)
        activity_tell(host);
}

void activity_title(struct host *host, const char *title)
{
    (void)detector_title(&host->activity.detector, title, host_now_ms());
    told(host);
    if (!host->attempt.replaying)
        schedule_title(host);
}

void activity_observe(struct host *host, enum evidence_source source, enum phase phase, bool coarse,
                      const char *detail, int64_t until_ms)
{
    (void)detector_observe(&host->activity.detector, source, phase, coarse, "", detail, until_ms,
                           host_now_ms());
    told(host);
}

void activity_rules(struct host *host)
{
    detector_set_rules(&host->activity.detector, host->rules);
    (void)detector_output(&host->activity.detector, host_now_ms());
    told(host);
}

static void set_progress(struct host *host, int progress)
{
    session_set(host, "progress_pct", progress < 0 ? json_null() : json_integer(progress));
}

static void agent_error(struct host *host, const struct status_record *record)
{
    const char *message = record->message != NULL ? record->message : "the agent reports an error";

    /* That there is an error adds nothing to what it is. */
    if (host->attempt.replaying ||
        (host->activity.error_ms != 0 && host_now_ms() - host->activity.error_ms < SAME_ERROR_MS))
        return;
    session_set_error(host, "agent", "agent_error", message, NULL);
    (void)events_emit(host, "error",
                      json_pack("{ss ss so}", "class", "agent", "code", "agent_error", "message",
                                json_string_or_null(message)));
}

static void follow_status(struct host *host)
{
    const struct status_record *record = program_status_summary(&host->activity.detector.status);

    set_progress(host, record == NULL ? -1 : record->progress);
    if (record != NULL && record->state == STATUS_ERROR)
        agent_error(host, record);
    told(host);
}

void activity_progress(struct host *host, int state)
{
    (void)detector_progress(&host->activity.detector, state, host_now_ms());
    told(host);
}

void activity_program_status(struct host *host, const char *payload, size_t length)
{
    (void)detector_status(&host->activity.detector, payload, length, host_now_ms());
    follow_status(host);
}

void activity_prompt_mark(struct host *host, char mark)
{
    if (mark != 'A' || host->activity.detector.status.count == 0)
        return;
    (void)detector_status_settle(&host->activity.detector, host_now_ms());
    follow_status(host);
}

void activity_reset(struct host *host)
{
    if (host->activity.detector.status.count == 0)
        return;
    (void)detector_status_clear(&host->activity.detector, host_now_ms());
    follow_status(host);
}

void activity_output(struct host *host)
{
    struct activity *activity = &host->activity;

    (void)detector_output(&activity->detector, host_now_ms());
    if (!host->attempt.replaying && host->attempt.terminal != NULL &&
        only_that_line(activity, host->attempt.terminal))
        look_at_spinner(host);
    if (!host->attempt.replaying && (activity->detector.phase.phase != activity->reported ||
                                     !event_pending(activity->timer, EV_TIMEOUT, NULL)))
        activity_tell(host);
}

void activity_keys(struct host *host, struct typed_keys keys)
{
    struct activity *activity = &host->activity;

    activity->entered = activity->entered || keys.enter;
    if ((keys.escape || keys.interrupt) && phase_is_working(activity->detector.phase.phase)) {
        activity->turn.cancelled = true;
        (void)detector_interrupted(&activity->detector, keys.escape ? "Escape" : "Ctrl+C", host_now_ms());
        told(host);
    } else if (keys.sent) {
        (void)detector_entered(&activity->detector, host_now_ms());
        told(host);
    }
}

void activity_prompt_sent(struct host *host, const char *prompt_id)
{
    turn_begin(host, prompt_id);
    if (host->activity.detector.spoke)
        activity_observe(host, EVIDENCE_USER, PHASE_CONNECTING, false, "a prompt was sent", 0);
}

bool activity_accepts_prompt(const struct host *host)
{
    const struct phase_state *phase = &host->activity.detector.phase;

    /* At its limit an agent takes prompts; whether it may be asked is the ledger's to say. */
    return phase->phase == PHASE_IDLE || phase->phase == PHASE_UNKNOWN ||
           (phase->phase == PHASE_LIMITED && !host->activity.turn.open);
}

/* ---- telling ---- */

/* Why the phase is what is shown: ganger's own waiting, or what the agent says. */
static json_t *evidence_of(const struct host *host, enum phase shown)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    const struct evidence *evidence = &phase->evidence[phase->source];
    int64_t now = clock_realtime_ms();

    if (shown != phase->phase)
        return json_pack("{sssisoso}", "source", "policy", "rank", 1, "detail",
                         json_string_or_null(host->permit.reason), "at", json_time_or_null(now));
    return json_pack("{sssisoso}", "source", evidence_source_name(phase->source), "rank",
                     evidence_rank(phase->source), "detail", json_string_or_null(evidence->detail), "at",
                     json_time_or_null(evidence->at_ms == 0 ? 0 : now - (host_now_ms() - evidence->at_ms)));
}

static int64_t until_of(const struct host *host, enum phase shown)
{
    const struct phase_state *phase = &host->activity.detector.phase;

    if (*permit_held(host) != '\0' && (shown == PHASE_LIMITED || shown == PHASE_RETRYING))
        return host->permit.until_ms;
    return shown == phase->phase ? phase->evidence[phase->source].until_ms : 0;
}

static void describe(struct host *host, enum phase shown)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    int64_t ago_ms = shown == phase->phase ? host_now_ms() - phase->since_ms : 0;

    session_set(host, "phase", json_string(phase_name(shown)));
    /* What a host before this one has told already goes on. */
    if (shown != host->activity.reported ||
        !json_is_string(json_object_get(host->session.object, "phase_since")))
        session_set(host, "phase_since", json_time_or_null(clock_realtime_ms() - ago_ms));
    session_set(host, "phase_until", json_time_or_null(until_of(host, shown)));
    session_set(host, "evidence", evidence_of(host, shown));
}

static void tell_phase(struct host *host, enum phase shown)
{
    struct activity *activity = &host->activity;
    enum phase before = activity->reported;
    json_t *evidence = evidence_of(host, shown);

    activity->reported = shown;
    approvals_follow(host, shown);
    (void)events_emit(
        host, "phase",
        json_pack("{ss ss sO sO sO so}", "phase", phase_name(shown), "previous", phase_name(before), "source",
                  json_object_get(evidence, "source"), "rank", json_object_get(evidence, "rank"), "detail",
                  json_object_get(evidence, "detail"), "until", json_time_or_null(until_of(host, shown))));
    json_decref(evidence);
    turn_follow(host, shown);
    resources_wake(host);
    session_changed(host, true);
    cancel_follow(host);
    delivery_consider(host);
}

void activity_tell(struct host *host)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    enum evidence_source source;
    enum phase shown;
    int64_t at;

    arm(host);
    source = phase->source;
    at = phase->evidence[source].at_ms;
    shown = permit_phase(host, phase->phase);
    if (shown == host->activity.reported && phase->phase == host->activity.told_phase &&
        source == host->activity.told_source && at == host->activity.told_at)
        return;
    host->activity.told_phase = phase->phase;
    host->activity.told_source = source;
    host->activity.told_at = at;
    describe(host, shown);
    if (shown != host->activity.reported) {
        tell_phase(host, shown);
        return;
    }
    session_changed(host, false);
    /* The agent may be ready behind what is shown. */
    if (shown != phase->phase)
        delivery_consider(host);
}

/* ---- life ---- */

void activity_init(struct host *host)
{
    struct activity *activity = &host->activity;
    const char *title = json_member_string(host->session.object, "title", NULL);
    enum phase phase = phase_parse(json_member_string(host->session.object, "phase", "initializing"));

    detector_init(&activity->detector, host->rules, host_now_ms());
    activity->reported = phase == PHASE_COUNT ? PHASE_INITIALIZING : phase;
    activity->timer = evtimer_new(host->loop, timer_fired, host);
    activity->title_timer = evtimer_new(host->loop, title_timer_fired, host);
    activity->title = title == NULL ? NULL : xstrdup(title);
    turn_load(host);
}

static void forget_unknown(struct activity *activity)
{
    while (activity->unknown_count > 0)
        free(activity->unknown[--activity->unknown_count]);
}

void activity_finish(struct host *host)
{
    struct activity *activity = &host->activity;

    detector_finish(&activity->detector);
    event_free(activity->timer);
    event_free(activity->title_timer);
    forget_unknown(activity);
    free(activity->title);
    free(activity->turn.prompt_id);
}

void activity_begin(struct host *host)
{
    struct activity *activity = &host->activity;

    detector_finish(&activity->detector);
    detector_init(&activity->detector, host->rules, host_now_ms());
    activity->told_at = 0;
    activity->strange_said = false;
    activity->looked_version = activity->looked_epoch = 0;
    approvals_clear(host);
    activity->subagents = 0;
    forget_unknown(activity);
    free(activity->title);
    activity->title = NULL;
    session_set(host, "title", json_null());
    set_progress(host, -1);
    if (!host->attempt.replaying)
        activity_tell(host);
}

static void follow_process(struct host *host)
{
    /* The stream tells by itself. */
    if (!stream_spoken(host))
        detector_started(&host->activity.detector, host->attempt.started_ns / 1000000);
}

void activity_started(struct host *host)
{
    follow_process(host);
    told(host);
}

void activity_taken_over(struct host *host)
{
    struct detector *detector = &host->activity.detector;
    const struct terminal *terminal = host->attempt.terminal;
    int64_t now = host_now_ms();

    follow_process(host);
    if (!stream_spoken(host)) {
        (void)detector_title(detector, terminal_title(terminal), now);
        if (detector->look_ms != 0)
            look_at(host, now);
        (void)detector_tick(detector, now, &(int64_t){0});
        (void)phase_resume(&detector->phase, host->activity.reported, now);
    }
    activity_title(host, terminal_title(terminal));
    approvals_look(host);
    told(host);
}

void activity_resume(struct host *host)
{
    struct phase_state *phase = &host->activity.detector.phase;

    if (phase_is_end(host->activity.reported))
        return;
    phase->phase = phase->evidence[EVIDENCE_PROCESS].phase = host->activity.reported;
}

void activity_end(struct host *host, enum phase phase, const char *detail)
{
    event_del(host->activity.title_timer);
    tell_title(host);
    program_status_settle(&host->activity.detector.status);
    phase_end(&host->activity.detector.phase, phase, detail, host_now_ms());
    activity_tell(host);
}

void activity_save(const struct host *host, struct buffer *out)
{
    static const char *const states[] = {"clear", "idle", "working", "blocked", "done", "error"};
    static const char *const kinds[] = {"", ":kind=permission", ":kind=question", ":kind=auth"};
    const struct program_status *status = &host->activity.detector.status;

    for (size_t i = 0; i < status->count; i++) {
        const struct status_record *record = &status->records[i];
        buffer_printf(out, "state=%s%s", states[record->state],
                      record->state == STATUS_BLOCKED ? kinds[record->kind] : "");
        if (*record->id != '\0')
            buffer_printf(out, ":id=%s", record->id);
        if (record->progress >= 0)
            buffer_printf(out, ":progress=%d", record->progress);
        buffer_append_char(out, '\n');
    }
}

void activity_load(struct host *host, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t line = end == NULL ? length : (size_t)(end - bytes);
        activity_program_status(host, bytes, line);
        length -= end == NULL ? line : line + 1;
        bytes += end == NULL ? line : line + 1;
    }
}
