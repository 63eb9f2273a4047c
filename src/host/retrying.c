#include "host/retrying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "host/ending.h"
#include "host/host.h"
#include "host/login_check.h"
#include "host/rotating.h"
#include "host/starting.h"
#include "policy/errors.h"

#define KEPT "retrying"
#define MINUTE_MS 60000

/* A host that follows another goes on with what was decided. */
static void keep(struct host *host)
{
    const struct retrying *retrying = &host->retrying;

    session_keep(host, KEPT,
                 json_pack("{si sI sb sb sI ss sI sI}", "tries", retrying->tries, "first_ms",
                           (json_int_t)retrying->first_ms, "login_checked", retrying->login_checked,
                           "respawn", retrying->respawn, "turn", (json_int_t)retrying->turn, "class",
                           retrying->failure.class, "resets_at_ms",
                           (json_int_t)retrying->failure.resets_at_ms, "not_before_ms",
                           (json_int_t)host->permit.not_before_ms));
    session_changed(host, true);
}

static void load(struct host *host)
{
    const json_t *kept = session_kept(&host->session, KEPT);
    struct retrying *retrying = &host->retrying;

    retrying->tries = (int)json_member_integer(kept, "tries", 0);
    retrying->first_ms = json_member_integer(kept, "first_ms", 0);
    retrying->login_checked = json_member_bool(kept, "login_checked", 0);
    retrying->respawn = json_member_bool(kept, "respawn", 0);
    retrying->turn = (uint64_t)json_member_integer(kept, "turn", 0);
    retrying->failure.resets_at_ms = json_member_integer(kept, "resets_at_ms", 0);
    (void)strlcpy(retrying->failure.class, json_member_string(kept, "class", ""),
                  sizeof retrying->failure.class);
    host->permit.not_before_ms = json_member_integer(kept, "not_before_ms", 0);
}

static void prompt_id(uint64_t turn, char id[RETRY_ID_SIZE])
{
    (void)snprintf(id, RETRY_ID_SIZE, "retry-%llu", (unsigned long long)turn);
}

static void forget_failures(struct host *host)
{
    struct retrying *retrying = &host->retrying;

    retrying->tries = 0;
    retrying->first_ms = 0;
    retrying->login_checked = false;
    retrying->turn = 0;
    keep(host);
}

/* ---- what the agent says ---- */

void retrying_error(struct host *host, const char *class)
{
    struct retrying *retrying = &host->retrying;

    /* A limit is known better than as the error that follows from it. */
    if (class == NULL || (retrying->failure.resets_at_ms != 0 && strcmp(class, "rate_limit") != 0) ||
        (retrying->failure.class[0] != '\0' && strcmp(class, "cancelled") == 0))
        return;
    (void)strlcpy(retrying->failure.class, class, sizeof retrying->failure.class);
    /* What the agent says of a turn may come a little after its end. */
    if (!host->activity.turn.open && retrying->failed && !retrying->decided)
        host_timer(retrying->timer, 0);
}

void retrying_limit(struct host *host, int64_t resets_at_ms)
{
    struct failure *failure = &host->retrying.failure;

    (void)strlcpy(failure->class, "rate_limit", sizeof failure->class);
    if (resets_at_ms > clock_realtime_ms())
        failure->resets_at_ms = resets_at_ms;
}

void retrying_window(struct host *host, int64_t resets_at_ms)
{
    struct retrying *retrying = &host->retrying;
    int64_t told = retrying->failure.resets_at_ms;

    /* Words leave the seconds out. */
    if (told == 0 || resets_at_ms >= told || resets_at_ms + MINUTE_MS <= told)
        return;
    retrying->failure.resets_at_ms = resets_at_ms;
    if (retrying->turn != 0)
        permit_refused(host, resets_at_ms, host->permit.jitter_ms);
}

void retrying_agent(struct host *host, int64_t until_ms)
{
    host->retrying.failure.agent_until_ms = until_ms;
    /* Claude's file says it a moment after the end of the turn. */
    if (until_ms > clock_realtime_ms() && !host->activity.turn.open)
        (void)retrying_drop(host, "the agent goes on by itself");
}

void retrying_progress(struct host *host)
{
    struct retrying *retrying = &host->retrying;

    retrying->failure = (struct failure){.class = ""};
    retrying->spoke = true;
    if (host->activity.turn.open)
        permit_through(host);
}

/* ---- going on ---- */

/* An agent whose conversation does not hold what was refused is asked again. */
static const char *words(const struct host *host)
{
    const char *last = json_string_value(session_kept(&host->session, "last_prompt"));

    return host->driver->forgets_refused && last != NULL ? last
                                                         : config_string(host->config, "retry.continue");
}

static void queue_prompt(struct host *host)
{
    struct prompt_queue *queue = &host->delivery.queue;
    struct prompt *prompt;
    char id[RETRY_ID_SIZE];

    prompt_id(host->retrying.turn, id);
    if (prompt_queue_find(queue, id) != NULL)
        return;
    prompt = prompt_queue_add(queue, id, words(host), PROMPT_NEXT);
    if (prompt == NULL)
        return;
    prompt->seq = host->events.last + 1;
    delivery_changed(host);
    (void)events_emit(host, "prompt_queued",
                      json_pack("{ss ss ss ss sb}", "prompt_id", prompt->id, "text", prompt->text, "priority",
                                "next", "change", "added", "retry", true));
}

void retrying_go_on(struct host *host, int64_t at_ms, const char *reason)
{
    struct retrying *retrying = &host->retrying;

    retrying->turn = host->activity.turn.number;
    retrying->respawn = host->attempt.over;
    queue_prompt(host);
    if (at_ms != 0)
        permit_back_off(host, at_ms, reason);
    keep(host);
    delivery_consider(host);
}

void retrying_elsewhere(struct host *host)
{
    struct retrying *retrying = &host->retrying;

    retrying->turn = host->activity.turn.number;
    retrying->respawn = true;
    if (!host->attempt.over)
        ending_replace(host);
    queue_prompt(host);
    keep(host);
    retrying_consider(host);
}

static void tell(struct host *host, int64_t until_ms, int of, const char *reason)
{
    const struct retrying *retrying = &host->retrying;

    (void)events_emit(host, "retry_scheduled",
                      json_pack("{ss si so so ss ss}", "by", "ganger", "number", retrying->tries, "of",
                                of > 0 ? json_integer(of) : json_null(), "until", json_time_or_null(until_ms),
                                "class", retrying->failure.class, "message", reason));
}

/* ---- the decision ---- */

static void tell_dropped(struct host *host, const char *why)
{
    char id[RETRY_ID_SIZE];

    prompt_id(host->retrying.turn, id);
    (void)events_emit(host, "cancelled",
                      json_pack("{ss ss ss}", "scope", "retry", "prompt_id", id, "reason", why));
}

static void give_up(struct host *host, const char *reason)
{
    const struct error_rule *rule = error_rule_find(host->retrying.failure.class);
    const char *account = json_member_string(host->session.object, "account", NULL);
    char *hint = error_hint(rule, host->driver->name, session_name(&host->session), account);

    if (rule->group != ERROR_CONTEXT && rule->group != ERROR_UNKNOWN)
        (void)events_emit(host, "warning",
                          json_pack("{ss ss ss so}", "code", "retry_stopped", "class",
                                    host->retrying.failure.class, "message", reason, "hint",
                                    json_string_or_null(hint)));
    free(hint);
    forget_failures(host);
}

/* The new conversation does not know what it should continue. */
void retrying_afresh(struct host *host)
{
    const char *last = json_string_value(session_kept(&host->session, "last_prompt"));
    char id[RETRY_ID_SIZE];

    prompt_id(host->retrying.turn, id);
    if (last != NULL && prompt_queue_edit(&host->delivery.queue, id, last, strlen(last)) == 0)
        delivery_changed(host);
}

void retrying_resume(struct host *host)
{
    const struct retrying *retrying = &host->retrying;
    char id[RETRY_ID_SIZE];

    prompt_id(retrying->turn, id);
    if (retrying->turn == 0 || host->activity.turn.open ||
        prompt_queue_find(&host->delivery.queue, id) != NULL)
        return;
    if (retrying->login_checked)
        login_check(host);
    else
        retrying_go_on(host, 0, "a failed turn goes on");
}

void retrying_login(struct host *host, bool good, int64_t at_ms)
{
    /* Somebody decided otherwise meanwhile. */
    if (host->retrying.turn == 0)
        return;
    if (good) {
        retrying_go_on(host, at_ms, "the login is good");
        return;
    }
    host->retrying.respawn = false;
    host->retrying.turn = host->activity.turn.number;
    tell_dropped(host, "the login is no longer good");
    give_up(host, "the login is no longer good");
    if (host->attempt.over)
        ending_give_up(host, PHASE_FAILED);
}

static struct retry_decision decide(const struct host *host, const struct retry_rules *rules)
{
    const struct retrying *retrying = &host->retrying;
    int64_t now = clock_realtime_ms();
    struct retry_case what = {.class = retrying->failure.class,
                              .resets_at_ms = retrying->failure.resets_at_ms,
                              .retry_after_ms = retrying->failure.retry_after_ms,
                              .now_ms = now,
                              .tries = retrying->tries,
                              .failing_ms = now > retrying->first_ms ? now - retrying->first_ms : 0,
                              .login_checked = retrying->login_checked,
                              .agent_continues = retrying->failure.agent_until_ms > now,
                              .random = arc4random_uniform(1u << 30) / (double)(1u << 30)};

    return retry_decide(rules, &what);
}

static bool stops(enum retry_action action)
{
    return action == RETRY_STOP || action == RETRY_LEAVE;
}

/* Returns whether the session goes on. */
static bool carry_out(struct host *host, const struct retry_decision *decision,
                      const struct retry_rules *rules)
{
    struct retrying *retrying = &host->retrying;
    bool limited = strcmp(retrying->failure.class, "rate_limit") == 0;

    if (!stops(decision->action)) {
        retrying->turn = host->activity.turn.number;
        retrying->respawn = host->attempt.over;
        keep(host);
    }
    switch (decision->action) {
    case RETRY_STOP:
        /* Others of the account need not find out by themselves. */
        if (limited && retrying->failure.resets_at_ms != 0)
            permit_refused(host, retrying->failure.resets_at_ms, 0);
        give_up(host, decision->reason);
        return false;
    case RETRY_LEAVE:
        return false;
    case RETRY_WAIT:
        tell(host, decision->at_ms, limited ? rules->max_attempts : 0, decision->reason);
        if (limited)
            permit_refused(host, 0, 0);
        if (decision->fewer)
            permit_fewer(host);
        retrying_go_on(host, decision->at_ms, decision->reason);
        return true;
    case RETRY_LIMITED:
        tell(host, decision->at_ms, 0, decision->reason);
        permit_refused(host, decision->at_ms, decision->jitter_ms);
        if (!rotating_switch(host))
            retrying_go_on(host, 0, decision->reason);
        return true;
    case RETRY_LOGIN:
        break;
    }
    retrying->login_checked = true;
    keep(host);
    tell(host, 0, 0, decision->reason);
    login_check(host);
    return true;
}

static void decide_once(struct host *host, const struct retry_rules *rules)
{
    struct retrying *retrying = &host->retrying;

    if (retrying->decided)
        return;
    if (retrying->tries++ == 0)
        retrying->first_ms = clock_realtime_ms();
    retrying->decision = decide(host, rules);
    retrying->decided = true;
}

static bool follow(struct host *host)
{
    struct retrying *retrying = &host->retrying;
    struct retry_rules rules;

    retry_rules_load(&rules, host->config);
    decide_once(host, &rules);
    retrying->failed = retrying->decided = false;
    permit_over(host);
    return carry_out(host, &retrying->decision, &rules);
}

static void begin_next(struct host *host)
{
    struct retrying *retrying = &host->retrying;
    const char *account = json_member_string(host->session.object, "account", NULL);
    struct error error;
    uint32_t attempt;

    if (!retrying->respawn || !host->attempt.over || host->retry_wanted != 0 || login_check_runs(host) ||
        !permit_take(host, false))
        return;
    /* The turn that it begins has this permission. */
    host->permit.state = PERMIT_GRANTED;
    if (starting_retry(host, account, &attempt, &error) != 0)
        host_warn(host, "retry_stopped", "%s", error.text);
}

static void due(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    begin_next(host);
    if (host->retrying.failed && !host->activity.turn.open && !host->attempt.over && !host->attempt.ending)
        (void)follow(host);
}

/* ---- turns and attempts ---- */

void retrying_turn_began(struct host *host, const char *id)
{
    struct retrying *retrying = &host->retrying;
    char own[RETRY_ID_SIZE];

    prompt_id(retrying->turn, own);
    retrying->failed = retrying->decided = retrying->spoke = false;
    retrying->failure = (struct failure){.class = ""};
    host->permit.passing = false;
    event_del(retrying->timer);
    if (id == NULL || strcmp(id, own) != 0)
        (void)retrying_drop(host, "the agent goes on with something else");
    retrying->turn = 0;
    keep(host);
}

bool retrying_intended(struct host *host, const char *outcome, char id[RETRY_ID_SIZE])
{
    struct retrying *retrying = &host->retrying;
    struct retry_rules rules;

    if (strcmp(outcome, "failed") != 0 || retrying->failure.class[0] == '\0' || host->attempt.ending)
        return false;
    retry_rules_load(&rules, host->config);
    decide_once(host, &rules);
    prompt_id(host->activity.turn.number, id);
    return !stops(retrying->decision.action);
}

void retrying_turn_ended(struct host *host, const char *outcome)
{
    struct retrying *retrying = &host->retrying;

    if (strcmp(outcome, "failed") == 0) {
        retrying->failed = true;
        if (retrying->decided)
            host_timer(retrying->timer, 0);
        else
            permit_over(host);
        return;
    }
    if (strcmp(outcome, "completed") == 0)
        permit_through(host);
    permit_over(host);
    if (retrying->tries > 0)
        forget_failures(host);
}

bool retrying_attempt_ended(struct host *host, enum phase phase)
{
    struct retrying *retrying = &host->retrying;
    bool goes_on;

    event_del(retrying->timer);
    if (retrying->respawn)
        return true;
    if (phase != PHASE_FAILED || host->attempt.ending || retrying->failure.class[0] == '\0') {
        permit_over(host);
        return false;
    }
    /* What waits already goes on in the next attempt. */
    goes_on = retrying->turn != 0 && !retrying->failed ? true : follow(host);
    retrying->respawn = goes_on;
    if (!goes_on)
        permit_over(host);
    keep(host);
    return goes_on;
}

bool retrying_drop(struct host *host, const char *why)
{
    struct retrying *retrying = &host->retrying;
    char id[RETRY_ID_SIZE];

    if (retrying->turn == 0 && !retrying->failed && !retrying->respawn && !retrying->rotating)
        return false;
    prompt_id(retrying->turn, id);
    if (prompt_queue_remove(&host->delivery.queue, id) == 0) {
        delivery_changed(host);
        tell_dropped(host, why);
    }
    retrying->failed = retrying->decided = retrying->respawn = retrying->rotating = false;
    event_del(retrying->timer);
    permit_over(host);
    forget_failures(host);
    return true;
}

void retrying_consider(struct host *host)
{
    /* Not within the end of the attempt, from which this may be called. */
    if (host->retrying.respawn && host->attempt.over &&
        !event_pending(host->retrying.timer, EV_TIMEOUT, NULL))
        host_timer(host->retrying.timer, 0);
}

/* ---- life ---- */

void retrying_init(struct host *host)
{
    host->retrying.timer = evtimer_new(host->loop, due, host);
    load(host);
}

void retrying_finish(struct host *host)
{
    event_free(host->retrying.timer);
}
