#include "host/recordings.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "base/json.h"
#include "base/utf8.h"
#include "host/host.h"
#include "store/recording.h"

#define LABEL_CHARACTERS 60

static bool is_kept(const struct host *host)
{
    /* A headless run asked for it. */
    return config_bool(host->config, "recording.keep") ||
           json_member_bool(host->session.start, "headless", 0);
}

static json_t *describe(struct host *host)
{
    char name[RECORDING_NAME_SIZE];

    recording_part_name(host->attempt.number, recorder_part(host->recorder), name);
    return json_pack("{sssIsn}", "path", name, "bytes", (json_int_t)recorder_length(host->recorder),
                     "paused");
}

json_t *recordings_public(struct host *host)
{
    json_t *recording = json_object_get(host->session.object, "recording");

    if (!json_is_object(recording))
        return json_null();
    recording = json_copy(recording);
    json_object_set_new(recording, "paused",
                        json_string_or_null(host->disk_problem[0] != '\0' ? host->disk_problem : NULL));
    /* Until an attempt begins it is the one that another host has written. */
    if (recorder_part(host->recorder) > 0)
        json_object_set_new(recording, "bytes", json_integer((json_int_t)recorder_length(host->recorder)));
    return recording;
}

void recordings_begin(struct host *host, bool taken_over)
{
    struct attempt *attempt = &host->attempt;
    struct recorder_recording recording = {
        .attempt = attempt->number,
        .ring = attempt->ring,
        .part_bytes = (uint64_t)config_number(host->config, "limits.recording_bytes"),
        .keep = is_kept(host),
        .cols = terminal_cols(attempt->terminal),
        .rows = terminal_rows(attempt->terminal),
        .started_ms = attempt->started_ms};
    uint64_t length = taken_over ? ring_recorded_length(attempt->ring) : 0;
    struct error error;

    if (recording_part_open(host->session_dir, attempt->number, length, &recording.part, &error) < 0)
        host_warn(host, "recording_failed", "%s", error.text);
    recorder_begin(host->recorder, &recording);
    session_set(host, "recording", describe(host));
}

void recordings_end(struct host *host, enum phase phase)
{
    int64_t at = attempt_time(&host->attempt);
    char label[32];

    (void)snprintf(label, sizeof label, "phase: %s", phase_name(phase));
    if (host->attempt.ring != NULL)
        recorder_output(host->recorder, ring_parsed(host->attempt.ring), at);
    recorder_marker(host->recorder, at, label);
    recorder_end(host->recorder, at);
    if (!is_kept(host))
        session_set(host, "recording", json_null());
}

void recordings_follow(struct host *host)
{
    struct attempt *attempt = &host->attempt;
    struct masked_cells *masked;
    struct buffer drawing;
    size_t length;

    if (attempt->over || !recorder_part_full(host->recorder) || !terminal_at_ground(attempt->terminal))
        return;
    /* Who takes over begins there, and needs no part before. */
    attempt_checkpoint(host, true);
    buffer_init(&drawing);
    masked = terminal_mask(attempt->terminal, host->mask);
    terminal_drawing(attempt->terminal, &drawing);
    terminal_unmask(masked);
    length = drawing.length;
    recorder_rotate(host->recorder, attempt_position(attempt), attempt_time(attempt),
                    terminal_cols(attempt->terminal), terminal_rows(attempt->terminal),
                    buffer_steal(&drawing), length);
}

void recordings_told(struct host *host, const struct recorder_news *news)
{
    if (news->changed && json_is_object(json_object_get(host->session.object, "recording"))) {
        /* Else it is of an attempt before the one that is about to begin. */
        if (host->attempt.ring != NULL)
            session_set(host, "recording", describe(host));
        session_changed(host, true);
    }
    if (news->events_from > 0)
        (void)events_emit(host, "gap",
                          json_pack("{ss sI sI}", "file", "events", "from", (json_int_t)news->events_from,
                                    "to", (json_int_t)news->events_to));
}

/* ---- markers ---- */

/* "KIND: TEXT", the text in one line and not long. */
static void mark(struct host *host, const char *kind, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    struct buffer label;
    int characters = 0;

    if (length == 0)
        return;
    buffer_init(&label);
    buffer_printf(&label, "%s: ", kind);
    for (size_t at = 0; at < length && characters < LABEL_CHARACTERS; characters++) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        if (used <= 0)
            break;
        if (code < 0x20 || code == 0x7F)
            buffer_append_char(&label, ' ');
        else
            buffer_append(&label, text + at, (size_t)used);
        at += (size_t)used;
    }
    buffer_append_char(&label, '\0');
    attempt_marker(host, label.bytes);
    buffer_finish(&label);
}

static void mark_prompt(struct host *host, const json_t *members)
{
    (void)members;
    mark(host, "prompt", json_string_value(session_kept(&host->session, "last_prompt")));
}

/* `until`: NULL when nobody knows; of a turn only the first such is marked, however often it is tried again. */
static void mark_limit_until(struct host *host, const char *until)
{
    const char *account = json_member_string(host->session.object, "account", host->driver->name);
    uint64_t turn = host->activity.turn.number + 1;
    char text[256];

    if (until == NULL && host->attempt.limited_turn == turn)
        return;
    host->attempt.limited_turn = turn;
    (void)snprintf(text, sizeof text, until == NULL ? "%s" : "%s until %s", account, until);
    mark(host, "limit", text);
}

static void mark_limit(struct host *host, const json_t *members)
{
    if (json_member_bool(members, "refused", 0))
        mark_limit_until(host, json_member_string(members, "resets_at", NULL));
}

/* Some agents tell of a limit in no other way. */
static void mark_retry(struct host *host, const json_t *members)
{
    if (strcmp(json_member_string(members, "class", ""), "rate_limit") == 0)
        mark_limit_until(host, NULL);
}

static void mark_error(struct host *host, const json_t *members)
{
    char text[256];

    mark_retry(host, members);
    (void)snprintf(text, sizeof text, "%s %s", json_member_string(members, "class", "agent"),
                   json_member_string(members, "message", ""));
    mark(host, "error", text);
}

static void mark_approval(struct host *host, const json_t *members)
{
    mark(host, "approval", json_member_string(members, "tool", json_member_string(members, "kind", "?")));
}

static void mark_phase(struct host *host, const json_t *members)
{
    mark(host, "phase", json_member_string(members, "phase", NULL));
}

void recordings_mark_event(struct host *host, const char *type, const json_t *members)
{
    static const struct {
        const char *type;
        void (*mark)(struct host *host, const json_t *members);
    } marks[] = {
        {"phase", mark_phase},      {"prompt_sent", mark_prompt},          {"error", mark_error},
        {"rate_limit", mark_limit}, {"approval_requested", mark_approval}, {"retry_scheduled", mark_retry},
    };

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strcmp(marks[i].type, type) == 0)
            marks[i].mark(host, members);
    }
}

/* ---- what is typed ---- */

/* A program that reads keys by itself, as interfaces do, and `sudo` where it shows asterisks, may ask for a password too. */
static bool asks_for_password(const struct terminal *terminal)
{
    static const char *const words[] = {"password", "passphrase", "passcode", "verification code"};
    struct buffer row;
    bool asks = false;

    if (terminal == NULL)
        return false;
    buffer_init(&row);
    terminal_row_text(terminal, terminal_cursor(terminal).y, &row);
    buffer_append_char(&row, '\0');
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !asks; i++)
        asks = strcasestr(row.bytes, words[i]) != NULL;
    buffer_finish(&row);
    return asks;
}

bool recordings_take_input(const struct host *host)
{
    struct termios modes;

    if (!config_bool(host->config, "recording.input") || host->attempt.pty < 0 ||
        tcgetattr(host->attempt.pty, &modes) < 0)
        return false;
    if ((modes.c_lflag & ECHO) != 0)
        return true;
    return (modes.c_lflag & ICANON) == 0 && !asks_for_password(host->attempt.terminal);
}

void recordings_input(struct host *host, const char *bytes, size_t length)
{
    struct attempt *attempt = &host->attempt;

    if (attempt->ring == NULL || attempt->over)
        return;
    recorder_output(host->recorder, ring_parsed(attempt->ring), attempt_time(attempt));
    recorder_input(host->recorder, attempt_time(attempt), bytes, length);
    host_flush_soon(host);
}
