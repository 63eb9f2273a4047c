#include "host/progress.h"

#include <string.h>

#include "base/json.h"
#include "host/host.h"

#define KEPT "progress"

/* Tokens of output that the session has used, or -1. */
static int64_t tokens_used(const struct host *host)
{
    return json_member_integer(json_object_get(host->session.object, "usage"), "output_tokens", -1);
}

static void keep(struct host *host)
{
    const struct progress *progress = &host->progress;

    session_keep(host, KEPT,
                 json_pack("{sI si sI sI si}", "began_ms", (json_int_t)progress->began_ms, "attempt",
                           (int)progress->attempt, "position", (json_int_t)progress->position, "tokens",
                           (json_int_t)progress->tokens, "tools", (int)progress->tools));
}

static void load(struct host *host)
{
    const json_t *kept = session_kept(&host->session, KEPT);
    struct progress *progress = &host->progress;

    progress->began_ms = json_member_integer(kept, "began_ms", host_now_ms());
    progress->attempt = (uint32_t)json_member_integer(kept, "attempt", 0);
    progress->position = (uint64_t)json_member_integer(kept, "position", 0);
    progress->tokens = json_member_integer(kept, "tokens", -1);
    progress->tools = (unsigned)json_member_integer(kept, "tools", 0);
}

static bool works(const struct host *host)
{
    return host->activity.turn.open && phase_is_working(host->activity.reported);
}

static json_t *tokens_or_null(const struct host *host)
{
    int64_t used = tokens_used(host), before = host->progress.tokens;

    if (used < 0)
        return json_null();
    return json_integer(before < 0 ? used : used > before ? used - before : 0);
}

static void tell(struct host *host)
{
    const struct progress *progress = &host->progress;
    uint64_t position = attempt_position(&host->attempt);
    uint64_t before = progress->attempt == host->attempt.number ? progress->position : 0;
    int64_t elapsed = host_now_ms() - progress->began_ms;

    (void)events_emit(host, "progress",
                      json_pack("{sI ss sf sI si so}", "turn", (json_int_t)host->activity.turn.number,
                                "phase", phase_name(host->activity.reported), "elapsed_s",
                                (double)(elapsed < 0 ? 0 : elapsed) / 1000, "output_bytes",
                                (json_int_t)(position > before ? position - before : 0), "tools",
                                (int)progress->tools, "tokens", tokens_or_null(host)));
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    if (!works(host))
        return;
    tell(host);
    host_timer(host->progress.timer, PROGRESS_MS * INT64_C(1000000));
}

void progress_turn_began(struct host *host)
{
    struct progress *progress = &host->progress;

    progress->began_ms = host_now_ms();
    progress->attempt = host->attempt.number;
    progress->position = attempt_position(&host->attempt);
    progress->tokens = tokens_used(host);
    progress->tools = 0;
    keep(host);
}

void progress_follow(struct host *host, enum phase phase)
{
    if (!host->activity.turn.open || !phase_is_working(phase))
        event_del(host->progress.timer);
    else if (!event_pending(host->progress.timer, EV_TIMEOUT, NULL))
        host_timer(host->progress.timer, PROGRESS_MS * INT64_C(1000000));
}

void progress_count(struct host *host, const char *type)
{
    if (strcmp(type, "tool_call") != 0 || !host->activity.turn.open)
        return;
    host->progress.tools++;
    keep(host);
}

void progress_init(struct host *host)
{
    host->progress.timer = evtimer_new(host->loop, timer_fired, host);
    load(host);
    progress_follow(host, host->activity.reported);
}

void progress_finish(struct host *host)
{
    event_free(host->progress.timer);
}
