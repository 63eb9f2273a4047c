#include "host/delivery.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "host/host.h"
#include "host/ring.h"
#include "host/turn.h"
#include "term/terminal.h"

#define SHOW_NS                                                                                              \
    1500000000 /* after which Enter follows although the paste was not seen, if anything was drawn */
#define SILENT_NS 5000000000 /* after which it is given up when nothing was drawn at all */
#define QUIET_NS                                                                                             \
    500000000 /* an agent without evidence, or just started, is ready when its screen rests so long */
#define QUIET_MAX_NS 10000000000
#define READY_MAX_NS 30000000000 /* after which an agent whose prompt box was not seen is taken to be ready */
#define READY_CHECK_NS 100000000
#define RETRY_NS 1000000000
#define AGAIN_NS 20000000
#define LAST_WRITE 0x80000000u

static void look(struct host *host);

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    if (host->delivery.stage == DELIVERY_SHOWING)
        look(host);
    else
        delivery_consider(host);
}

void delivery_init(struct host *host)
{
    prompt_queue_init(&host->delivery.queue);
    prompt_queue_load(&host->delivery.queue, session_kept(&host->session, "prompts"));
    host->delivery.timer = evtimer_new(host->loop, timer_fired, host);
}

void delivery_finish(struct host *host)
{
    prompt_queue_finish(&host->delivery.queue);
    event_free(host->delivery.timer);
}

void delivery_changed(struct host *host)
{
    session_set(host, "queue", prompt_queue_public(&host->delivery.queue));
    session_keep(host, "prompts", prompt_queue_save(&host->delivery.queue));
    session_changed(host, true);
}

static void note_state(struct host *host, uint64_t number, enum prompt_state state)
{
    if (host->attempt.ring != NULL)
        ring_set_prompt(host->attempt.ring, number, (uint32_t)state);
}

/* Before it is given to the keeper: the next write is the last one of the prompt (LAST_WRITE), or its first. */
static void note_write(struct host *host, uint32_t last)
{
    if (host->attempt.ring != NULL)
        ring_set_prompt_write(host->attempt.ring, (uint32_t)(host->typing.last_id + 1) | last);
}

/* What became of a prompt in state sending: the keeper writes whole what it took. */
static enum prompt_state fate(const struct host *host, uint64_t accepted_write)
{
    uint32_t write = ring_prompt_write(host->attempt.ring), id = write & ~LAST_WRITE;
    bool taken = id <= (uint32_t)accepted_write;

    if (id == 0)
        return PROMPT_UNCERTAIN;
    if ((write & LAST_WRITE) != 0)
        return taken ? PROMPT_SENT : stream_mode(host) ? PROMPT_QUEUED : PROMPT_UNCERTAIN;
    return taken ? PROMPT_UNCERTAIN : PROMPT_QUEUED;
}

static void tell_sent(struct host *host, uint64_t number)
{
    const struct prompt *prompt = prompt_queue_first(&host->delivery.queue);

    if (prompt == NULL || prompt->number != number)
        return;
    session_keep(host, "last_prompt", json_string(prompt->text));
    (void)events_emit(host, "prompt_sent", json_pack("{ss}", "prompt_id", prompt->id));
}

static void wait_on(struct host *host, uint64_t number)
{
    struct prompt *prompt = prompt_queue_first(&host->delivery.queue);

    if (prompt != NULL && prompt->number == number)
        prompt->state = PROMPT_QUEUED;
    note_state(host, number, PROMPT_QUEUED);
    delivery_changed(host);
}

void delivery_recover(struct host *host, uint64_t accepted_write)
{
    uint64_t number = 0;
    uint32_t state = PROMPT_QUEUED;

    if (host->attempt.ring != NULL)
        ring_prompt(host->attempt.ring, &number, &state);
    if (state == PROMPT_SENDING && (state = fate(host, accepted_write)) == PROMPT_SENT)
        tell_sent(host, number);
    /* The ring is newer than session.json, which may still have the prompt among those that wait. */
    if (state == PROMPT_SENT && prompt_queue_settle(&host->delivery.queue, number, PROMPT_SENT))
        delivery_changed(host);
    if (state == PROMPT_QUEUED && number != 0)
        wait_on(host, number);
    if (prompt_queue_recover(&host->delivery.queue, state == PROMPT_UNCERTAIN ? number : 0) == 0)
        return;
    note_state(host, number, PROMPT_UNCERTAIN);
    host_warn(host, "prompt_uncertain",
              "a prompt was being typed when the host ended: look whether the agent has it, and send it "
              "again if not");
    delivery_changed(host);
}

static bool is_command(const struct host *host)
{
    return strcmp(host->driver->name, "command") == 0;
}

/* ---- whether the paste shows ---- */

static void squeeze(const char *text, size_t length, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 1 < size; i++) {
        if (!isspace((unsigned char)text[i]))
            out[used++] = text[i];
        else if (text[i] == '\n' && used > 0)
            break;
    }
    out[used] = '\0';
}

/* The beginning of the prompt, or what agents show in place of a long paste. */
static unsigned count_on_screen(const struct host *host, const char *beginning)
{
    static const char placeholder[] = "[Pasted";
    struct buffer text;
    size_t used = 0;
    unsigned found = 0;

    if (host->attempt.terminal == NULL || *beginning == '\0')
        return 0;
    buffer_init(&text);
    terminal_text(host->attempt.terminal, &text);
    for (size_t i = 0; i < text.length; i++) {
        if (!isspace((unsigned char)text.bytes[i]))
            text.bytes[used++] = text.bytes[i];
    }
    if (text.bytes != NULL)
        text.bytes[used] = '\0';
    for (const char *at = text.bytes; at != NULL && (at = strstr(at, beginning)) != NULL; at++)
        found++;
    for (const char *at = text.bytes; at != NULL && (at = strstr(at, placeholder)) != NULL; at++)
        found++;
    buffer_finish(&text);
    return found;
}

/* ---- the steps ---- */

static void rest(struct host *host)
{
    host->delivery.stage = DELIVERY_NONE;
    host->delivery.waiting_since = 0;
    host->permit.passing = false;
    event_del(host->delivery.timer);
    typing_hold(host, false);
}

/* Back into the queue: nothing of it was typed. */
static void give_back(struct host *host)
{
    struct prompt *prompt = prompt_queue_first(&host->delivery.queue);

    if (prompt != NULL && prompt->number == host->delivery.number)
        prompt->state = PROMPT_QUEUED;
    note_state(host, host->delivery.number, PROMPT_QUEUED);
    rest(host);
    delivery_changed(host);
}

static void settle(struct host *host, enum prompt_state state)
{
    struct prompt *prompt = prompt_queue_first(&host->delivery.queue);
    char *id = prompt != NULL && prompt->number == host->delivery.number ? strdup(prompt->id) : NULL;

    if (id != NULL && state == PROMPT_SENT)
        session_keep(host, "last_prompt", json_string(prompt->text));
    (void)prompt_queue_settle(&host->delivery.queue, host->delivery.number, state);
    note_state(host, host->delivery.number, state);
    rest(host);
    if (state == PROMPT_SENT) {
        (void)events_emit(host, "prompt_sent", json_pack("{so}", "prompt_id", json_string_or_null(id)));
        delivery_changed(host);
    } else {
        host_warn(
            host, "prompt_uncertain",
            attempt_running(&host->attempt)
                ? "the agent drew nothing after a prompt was typed: look whether it has it, and send it "
                  "again if not"
                : "the agent ended while a prompt was being typed: it may not have it");
        delivery_changed(host);
    }
    free(id);
}

static void press_enter(struct host *host)
{
    struct delivery *delivery = &host->delivery;
    const struct key enter = {.code = KEYCODE_ENTER};
    struct terminal_modes modes = terminal_modes(host->attempt.terminal);
    struct buffer bytes;

    buffer_init(&bytes);
    key_encode(enter, &modes.input, &bytes);
    note_write(host, LAST_WRITE);
    delivery->write_id = typing_whole(host, bytes.bytes, bytes.length);
    buffer_finish(&bytes);
    if (delivery->write_id == 0) {
        host_timer(delivery->timer, AGAIN_NS);
        return;
    }
    delivery->stage = DELIVERY_ENTERING;
    /* Before the agent can answer: what it says then is newer evidence. */
    activity_prompt_sent(host, prompt_queue_first(&delivery->queue)->id);
}

/* Whether Enter may follow the paste, looked at after output and when the timer says so. */
static void look(struct host *host)
{
    struct delivery *delivery = &host->delivery;
    int64_t now = host_now_ns(), passed = now - delivery->pasted_at;
    int64_t delay = (int64_t)host->driver->enter_delay_ms * 1000000;

    if (delivery->stage != DELIVERY_SHOWING)
        return;
    if (passed < delay)
        host_timer(delivery->timer, delay - passed);
    else if (count_on_screen(host, delivery->beginning) > delivery->seen ||
             (passed >= SHOW_NS && (delivery->drawn || is_command(host))))
        press_enter(host);
    else if (passed >= SILENT_NS)
        settle(host, PROMPT_UNCERTAIN);
    else
        host_timer(delivery->timer, passed < SHOW_NS ? SHOW_NS - passed : SILENT_NS - passed);
}

void delivery_output(struct host *host)
{
    host->delivery.output_at = host_now_ns();
    host->delivery.drawn = true;
    look(host);
}

static void paste(struct host *host, struct prompt *prompt)
{
    struct delivery *delivery = &host->delivery;
    struct terminal_modes modes = terminal_modes(host->attempt.terminal);
    struct buffer bytes;

    delivery->number = prompt->number;
    squeeze(prompt->text, strlen(prompt->text), delivery->beginning, 24);
    delivery->seen = count_on_screen(host, delivery->beginning);
    delivery->drawn = false;
    prompt->state = PROMPT_SENDING;
    note_state(host, prompt->number, PROMPT_SENDING);
    delivery_changed(host);
    typing_hold(host, true);
    buffer_init(&bytes);
    if (delivery->clear && !is_command(host))
        key_encode((struct key){.code = 'u', .modifiers = KEY_CTRL}, &modes.input, &bytes);
    delivery->clear = false;
    paste_encode(prompt->text, strlen(prompt->text), &modes.input, &bytes);
    note_write(host, 0);
    delivery->write_id = typing_whole(host, bytes.bytes, bytes.length);
    buffer_finish(&bytes);
    delivery->stage = DELIVERY_PASTING;
    if (delivery->write_id == 0) {
        give_back(host);
        host_timer(delivery->timer, RETRY_NS);
    }
}

static bool box_shown(struct host *host)
{
    struct buffer text;
    bool shown;

    if (!terminal_modes(host->attempt.terminal).input.bracketed_paste)
        return false;
    buffer_init(&text);
    terminal_text(host->attempt.terminal, &text);
    shown = text.bytes != NULL && rules_ready(host->rules, text.bytes);
    buffer_finish(&text);
    return shown;
}

/* An agent that has just started swallows what is typed before its prompt box is drawn; one that gives no evidence is
 * ready when its screen rests. */
static bool rested(struct host *host)
{
    struct delivery *delivery = &host->delivery;
    int64_t now = host_now_ns(), waited;

    if (is_command(host) || (delivery->ready && host->activity.detector.phase.phase != PHASE_UNKNOWN))
        return true;
    if (delivery->waiting_since == 0)
        delivery->waiting_since = now;
    waited = now - delivery->waiting_since;
    if (!delivery->ready && waited < READY_MAX_NS && !box_shown(host)) {
        host_timer(delivery->timer, READY_CHECK_NS);
        return false;
    }
    if (now - delivery->output_at >= QUIET_NS || waited >= (delivery->ready ? QUIET_MAX_NS : READY_MAX_NS)) {
        delivery->ready = true;
        return true;
    }
    host_timer(delivery->timer, QUIET_NS - (now - delivery->output_at));
    return false;
}

/* In stream mode: through the channel, when the agent is idle or at its limit. */
static void stream(struct host *host, struct prompt *prompt)
{
    struct delivery *delivery = &host->delivery;

    delivery->number = prompt->number;
    prompt->state = PROMPT_SENDING;
    note_state(host, prompt->number, PROMPT_SENDING);
    delivery_changed(host);
    delivery->stage = DELIVERY_STREAMING;
    /* What the agent does is for its channel to say, which does so at once. */
    turn_begin(host, prompt->id);
    if (stream_writes_at_once(host, strlen(prompt->text)))
        note_write(host, LAST_WRITE);
    delivery->write_id = stream_prompt(host, prompt->text);
    if (delivery->write_id == 0)
        give_back(host);
}

static bool streamable(struct host *host)
{
    enum phase phase = host->activity.detector.phase.phase;

    /* The phase may lag behind what the channel says. */
    return (phase == PHASE_IDLE || phase == PHASE_LIMITED) && stream_idle(host);
}

/* What goes on until it is interrupted, or until a person answers. */
static bool in_turn(enum phase phase)
{
    return phase_is_working(phase) || phase == PHASE_APPROVAL || phase == PHASE_RETRYING;
}

void delivery_consider(struct host *host)
{
    struct prompt *prompt = prompt_queue_first(&host->delivery.queue);

    /* What was waited for was taken out of the queue. */
    if (prompt == NULL && host->permit.held != HOLD_NONE && !retrying_drop(host, "its prompt was removed"))
        permit_over(host);
    if (host->attempt.over && !host->attempt.replaying)
        retrying_consider(host);
    if (prompt == NULL || host->delivery.stage != DELIVERY_NONE || !attempt_running(&host->attempt) ||
        host->attempt.ending || host->attempt.replaying || host->typing.typed.unsent)
        return;
    if (prompt->priority == PROMPT_NOW && in_turn(host->activity.detector.phase.phase))
        (void)cancel_turn(host);
    if (stream_spoken(host) ? !streamable(host) : !activity_accepts_prompt(host) || !rested(host))
        return;
    if (!permit_take(host, prompt->priority == PROMPT_NOW))
        return;
    if (stream_spoken(host))
        stream(host, prompt);
    else
        paste(host, prompt);
}

void delivery_streamed(struct host *host, uint64_t ticket, int error)
{
    if (host->delivery.stage == DELIVERY_STREAMING && ticket == host->delivery.write_id)
        settle(host, error == 0 ? PROMPT_SENT : PROMPT_UNCERTAIN);
}

void delivery_written(struct host *host, uint64_t id, int error)
{
    struct delivery *delivery = &host->delivery;

    if (delivery->stage == DELIVERY_NONE || id != delivery->write_id)
        return;
    if (delivery->stage == DELIVERY_PASTING && error != 0) {
        give_back(host);
        if (error == EAGAIN)
            host_timer(delivery->timer, RETRY_NS);
    } else if (delivery->stage == DELIVERY_PASTING) {
        delivery->stage = DELIVERY_SHOWING;
        delivery->pasted_at = host_now_ns();
        look(host);
    } else {
        settle(host, error == 0 ? PROMPT_SENT : PROMPT_UNCERTAIN);
    }
}

void delivery_stop(struct host *host)
{
    host->delivery.ready = false;
    if (host->delivery.stage == DELIVERY_NONE)
        return;
    settle(host, PROMPT_UNCERTAIN);
}
