#include "host/resuming.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "host/environment.h"
#include "host/host.h"
#include "host/turn.h"

#define KEPT "interrupted"
#define SHOWN 200 /* bytes of a prompt that is only named */

static json_t *beginning(const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length > SHOWN) {
        for (length = SHOWN; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80; length--)
            continue;
    }
    return text == NULL ? json_null() : json_stringn(text, length);
}

static void tell_attempt(struct host *host)
{
    json_t *exit = json_object_get(host->session.object, "exit");
    json_int_t number = json_integer_value(json_object_get(host->session.object, "attempt"));
    json_t *entry = number < 1 ? NULL : session_attempt(host, (uint32_t)number);

    if (entry == NULL || !json_is_object(exit) || json_is_object(json_object_get(entry, "exit")))
        return;
    (void)json_object_set(entry, "exit", exit);
    (void)events_emit(host, "attempt_ended", json_pack("{sO}", "exit", exit));
}

void resuming_remember(struct host *host)
{
    const struct turn *turn = &host->activity.turn;
    const char *last = json_string_value(session_kept(&host->session, "last_prompt"));

    if (last == NULL)
        last = json_member_string(host->session.start, "prompt", NULL);
    session_keep(host, KEPT,
                 turn->open
                     ? json_pack("{sI so}", "turn", (json_int_t)turn->number, "prompt", beginning(last))
                     : json_null());
}

void resuming_settle(struct host *host)
{
    if (host->activity.reported != PHASE_LOST)
        return;
    if (host->activity.turn.open) {
        resuming_remember(host);
        turn_end(host, phase_name(PHASE_LOST));
    }
    tell_attempt(host);
    delivery_recover(host, 0);
}

bool resuming_now(const struct host *host)
{
    return json_is_true(json_object_get(host->session.start, "resume"));
}

bool resuming_prompted(const struct host *host)
{
    return json_is_true(session_kept(&host->session, "conversed")) ||
           json_is_string(session_kept(&host->session, "last_prompt")) ||
           json_is_object(session_kept(&host->session, "prompts"));
}

void resuming_note(struct host *host, const struct attempt_start *start)
{
    const json_t *interrupted = session_kept(&host->session, KEPT);
    const char *id = start->resume_id;

    if (id != NULL && *id == '\0')
        id = json_member_string(host->session.object, "agent_session_id", "last");
    session_set(host, "resumed",
                json_pack("{si so sO? si}", "attempt", (int)start->number, "conversation",
                          json_string_or_null(id), "interrupted", interrupted, "waiting",
                          (int)host->delivery.queue.waiting_count));
    log_note("the lost session goes on %s", id != NULL ? "in its conversation" : "in another conversation");
}

void resuming_begun(struct host *host)
{
    bool resumes = resuming_now(host);

    resuming_over(host);
    session_keep(host, KEPT, json_null());
    if (!resumes)
        session_set(host, "resumed", json_null());
    else
        /* What the lost host had decided and did not come to. */
        retrying_resume(host);
}

void resuming_over(struct host *host)
{
    (void)json_object_del(host->session.start, "resume");
}
