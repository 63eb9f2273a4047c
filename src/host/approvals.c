#include "host/approvals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "host/approval_dialog.h"
#include "host/host.h"
#include "host/stream.h"
#include "rpc/protocol.h"

#define UNSEEN_MS 1500    /* a request whose dialog was not seen is told after so long */
#define DRAWN_MS 120      /* between two looks at a dialog that just appeared */
#define RESIZED_MS 2000   /* in which an agent has drawn everything anew after a change of size */
#define NOT_TAKEN_MS 2500 /* an answer that changed nothing may be given again */

/* ---- the list ---- */

static json_t *pending(const struct host *host)
{
    return json_object_get(host->session.object, "pending_approvals");
}

static json_t *shown(const struct host *host, const char *id)
{
    size_t index;
    json_t *request;

    json_array_foreach(pending(host), index, request)
    {
        if (strcmp(json_member_string(request, "id", ""), id) == 0)
            return request;
    }
    return NULL;
}

static struct approval *find(struct host *host, const char *asked_as)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count && asked_as != NULL; i++) {
        if (approvals->items[i].asked_as != NULL && strcmp(approvals->items[i].asked_as, asked_as) == 0)
            return &approvals->items[i];
    }
    return NULL;
}

/* The same request, as a host before this one had it: taken from what it left. NULL: there is none. */
static json_t *left_before(struct host *host, const json_t *request)
{
    const char *input = json_member_string(request, "input", NULL), *was;
    size_t index;
    json_t *left;

    json_array_foreach(host->approvals.before, index, left)
    {
        was = json_member_string(left, "input", NULL);
        if ((input == NULL && was == NULL) || approval_words_meet(was, input) ||
            approval_words_meet(input, was)) {
            (void)json_incref(left);
            (void)json_array_remove(host->approvals.before, index);
            return left;
        }
    }
    return NULL;
}

/* Whose doing it is that nobody asks any more: the end of the agent answers nothing. */
static const char *who(const struct host *host)
{
    const struct attempt *attempt = &host->attempt;

    return attempt->ending || attempt->reaped || attempt->over || host->activity.detector.phase.ended
               ? "ending"
               : "person";
}

/* What a host before this one had told and nobody asks any more. */
static void settle_before(struct host *host)
{
    size_t index;
    json_t *left;

    json_array_foreach(host->approvals.before, index, left)
    {
        (void)events_emit(host, "approval_resolved",
                          json_pack("{ss ss ss}", "request", json_member_string(left, "id", ""), "decision",
                                    "gone", "by", who(host)));
    }
    (void)json_array_clear(host->approvals.before);
}

static struct approval *add(struct host *host, enum evidence_source source, const char *asked_as,
                            json_t *request)
{
    struct approvals *approvals = &host->approvals;
    struct approval *approval;
    json_t *left;

    if (approvals->count == APPROVALS_MAX) {
        json_decref(request);
        return NULL;
    }
    approval = &approvals->items[approvals->count++];
    *approval = (struct approval){.source = source, .asked_ms = host_now_ms()};
    approval->asked_as = asked_as == NULL ? NULL : xstrdup(asked_as);
    left = left_before(host, request);
    if (left != NULL) {
        json_decref(request);
        request = left;
        (void)strlcpy(approval->id, json_member_string(left, "id", ""), sizeof approval->id);
        approval->told = true;
    } else {
        (void)snprintf(approval->id, sizeof approval->id, "%u-%llu", host->attempt.number,
                       (unsigned long long)++approvals->given);
        session_keep(host, "approvals", json_integer((json_int_t)approvals->given));
        json_object_set_new(request, "id", json_string(approval->id));
        json_object_set_new(request, "since", json_time_or_null(clock_realtime_ms()));
    }
    json_array_append_new(pending(host), request);
    session_changed(host, true);
    return approval;
}

static void tell(struct host *host, struct approval *approval)
{
    const json_t *request = shown(host, approval->id);
    json_t *members;

    if (approval->told || request == NULL)
        return;
    approval->told = true;
    members = json_pack("{ss}", "request", approval->id);
    for (size_t i = 0; i < 4; i++) {
        static const char *const copied[] = {"kind", "tool", "input", "choices"};
        json_object_set(members, copied[i], json_object_get(request, copied[i]));
    }
    (void)events_emit(host, "approval_requested", members);
    session_changed(host, true);
}

static void drop(struct host *host, struct approval *approval)
{
    struct approvals *approvals = &host->approvals;
    size_t index;
    json_t *request;

    json_array_foreach(pending(host), index, request)
    {
        if (strcmp(json_member_string(request, "id", ""), approval->id) == 0) {
            json_array_remove(pending(host), index);
            break;
        }
    }
    free(approval->asked_as);
    memmove(approval, approval + 1,
            (size_t)(approvals->items + approvals->count - (approval + 1)) * sizeof *approval);
    approvals->count--;
    session_changed(host, true);
}

/* `outcome`: what the agent says became of it, or NULL. */
static void resolve(struct host *host, struct approval *approval, const char *outcome)
{
    bool ends = strcmp(who(host), "ending") == 0;
    const char *decision = approval->answer != NULL ? approval->answer
                           : outcome != NULL        ? outcome
                           : ends                   ? "gone"
                                                    : "answered";

    tell(host, approval);
    (void)events_emit(host, "approval_resolved",
                      json_pack("{ss ss ss}", "request", approval->id, "decision", decision, "by",
                                approval->answer != NULL ? "client" : who(host)));
    drop(host, approval);
}

static json_t *request_object(const char *kind, const char *tool, const char *input, json_t *choices)
{
    return json_pack("{sn ss so so so sn}", "id", "kind", kind, "tool", json_string_or_null(tool), "input",
                     json_string_or_null(input), "choices", choices == NULL ? json_array() : choices,
                     "since");
}

void approvals_settled(struct host *host, const char *asked_as, const char *outcome)
{
    struct approvals *approvals = &host->approvals;
    struct approval *approval = find(host, asked_as);

    if (asked_as == NULL) {
        while (approvals->count > 0)
            resolve(host, &approvals->items[0], outcome);
    } else if (approval != NULL) {
        resolve(host, approval, outcome);
    }
}

/* ---- the screen ---- */

static json_t *dialog_choices(const struct rules_question *question)
{
    json_t *choices = json_array();

    for (int i = 0; i < question->choice_count; i++)
        json_array_append_new(choices, json_string_or_null(question->choices[i]));
    return choices;
}

/* The size of the screen, as one number. */
static uint32_t screen_size(const struct host *host)
{
    return (uint32_t)terminal_cols(host->attempt.terminal) << 16 |
           (uint32_t)terminal_rows(host->attempt.terminal);
}

/* A request whose dialog is not known yet: the one whose words stand in this one, else the only one. */
static struct approval *unseen(struct host *host, const struct rules_question *question)
{
    struct approvals *approvals = &host->approvals;
    struct approval *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < approvals->count; i++) {
        struct approval *approval = &approvals->items[i];
        if (approval->dialog != 0 || approval->source == EVIDENCE_STREAM)
            continue;
        if (approval_words_meet(question->input,
                                json_member_string(shown(host, approval->id), "input", NULL)))
            return approval;
        found = approval;
        count++;
    }
    return count == 1 ? found : NULL;
}

/* One that was drawn anew: for another size, or, when the agent itself said what it asks, in any way. */
static struct approval *drawn_anew(struct host *host)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count; i++) {
        struct approval *approval = &approvals->items[i];
        if (approval->dialog != 0 && approval->answer == NULL &&
            (approval->size != screen_size(host) || host_now_ms() < approval->sized_ms + RESIZED_MS ||
             (approval->source != EVIDENCE_SCREEN && approvals->count == 1)))
            return approval;
    }
    return NULL;
}

/* The request that this dialog asks. */
static struct approval *asked_by(struct host *host, const struct rules_question *question, uint32_t dialog)
{
    struct approvals *approvals = &host->approvals;
    struct approval *approval;

    for (size_t i = 0; i < approvals->count; i++) {
        if (approvals->items[i].dialog == dialog)
            return &approvals->items[i];
    }
    approval = unseen(host, question);
    return approval != NULL ? approval : drawn_anew(host);
}

/* Requests whose dialog is not this one any more were answered in the pane. */
static void drop_others(struct host *host, uint32_t dialog)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count;) {
        struct approval *approval = &approvals->items[i];
        if (approval->dialog != 0 && approval->dialog != dialog && approval->source == EVIDENCE_SCREEN)
            resolve(host, approval, NULL);
        else
            i++;
    }
}

static const char *status_words(struct host *host, const char **kind)
{
    static const char *const kinds[] = {NULL, "permission", "question", "auth"};
    const struct status_record *record = program_status_summary(&host->activity.detector.status);

    if (record == NULL || record->state != STATUS_BLOCKED)
        return NULL;
    if (kinds[record->kind] != NULL)
        *kind = kinds[record->kind];
    return record->message;
}

static void complete(struct host *host, struct approval *approval, const struct rules_question *question)
{
    json_t *request = shown(host, approval->id);

    if (json_is_null(json_object_get(request, "tool")))
        json_object_set_new(request, "tool", json_string_or_null(question->tool));
    if (json_is_null(json_object_get(request, "input")))
        json_object_set_new(request, "input", json_string_or_null(question->input));
    if (json_array_size(json_object_get(request, "choices")) == 0)
        json_object_set_new(request, "choices", dialog_choices(question));
}

/* A dialog that is still being drawn is not asked yet: it must be the same in two looks. */
static bool stands_still(struct host *host, uint32_t dialog)
{
    struct approvals *approvals = &host->approvals;

    if (approvals->drawn == dialog)
        return true;
    approvals->drawn = dialog;
    host_timer(approvals->timer, DRAWN_MS * 1000000LL);
    return false;
}

static void see(struct host *host, const struct rules_question *question)
{
    const char *kind = host->activity.detector.match.kind;
    uint32_t dialog = approval_dialog_hash(question);
    struct approval *approval = asked_by(host, question, dialog);

    if (approval == NULL && !stands_still(host, dialog))
        return;
    if (approval == NULL) {
        drop_others(host, dialog);
        if (kind == NULL)
            kind = "permission";
        (void)status_words(host, &kind);
        approval = add(host, EVIDENCE_SCREEN, NULL,
                       request_object(kind, question->tool, question->input, dialog_choices(question)));
    }
    if (approval == NULL)
        return;
    approval->dialog = dialog;
    if (approval->size != 0 && approval->size != screen_size(host))
        approval->sized_ms = host_now_ms();
    approval->size = screen_size(host);
    complete(host, approval, question);
    tell(host, approval);
}

void approvals_look(struct host *host)
{
    const struct detector *detector = &host->activity.detector;
    struct rules_question question;

    if (detector->match.phase != PHASE_APPROVAL || detector->phase.phase != PHASE_APPROVAL ||
        approval_dialog_read(host, &question) < 0)
        return;
    see(host, &question);
    rules_question_finish(&question);
}

/* A dialog that was seen before the agent's own word came is the same request. */
static struct approval *seen_before(struct host *host, const struct observation *observation)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count; i++) {
        struct approval *approval = &approvals->items[i];
        const char *input = json_member_string(shown(host, approval->id), "input", NULL);
        if (approval->source == EVIDENCE_SCREEN && approval->asked_as == NULL &&
            (approvals->count == 1 || approval_words_meet(input, observation->text)))
            return approval;
    }
    return NULL;
}

static void ask(struct host *host, enum evidence_source source, const struct observation *observation)
{
    json_t *choices = observation->choices == NULL ? NULL : json_deep_copy(observation->choices);
    struct approval *approval =
        add(host, source, observation->id,
            request_object(observation->request == NULL ? "permission" : observation->request,
                           observation->name, observation->text, choices));

    if (approval == NULL)
        return;
    /* In a terminal it can be answered only when its dialog is there: told then. */
    if (source == EVIDENCE_STREAM)
        tell(host, approval);
    else
        host_timer(host->approvals.timer, UNSEEN_MS * 1000000LL);
    approvals_look(host);
}

void approvals_asked(struct host *host, enum evidence_source source, const struct observation *observation)
{
    struct approval *approval = find(host, observation->id);

    if (approval != NULL)
        return;
    approval = source == EVIDENCE_STREAM ? NULL : seen_before(host, observation);
    if (approval == NULL) {
        ask(host, source, observation);
        return;
    }
    approval->asked_as = observation->id == NULL ? NULL : xstrdup(observation->id);
    approval->source = source;
}

/* Some agents do not hear a key that comes with their dialog. It is not pressed again by itself: the next question may
 * look the same. */
static void not_taken(struct host *host, int64_t now)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count; i++) {
        struct approval *approval = &approvals->items[i];
        if (approval->answer == NULL || approval->source == EVIDENCE_STREAM ||
            now < approval->answered_ms + NOT_TAKEN_MS)
            continue;
        approval->answer = NULL;
        (void)events_emit(host, "error",
                          json_pack("{ss ss ss ss}", "code", "not_taken", "request", approval->id, "message",
                                    "the agent still asks: it did not take the answer", "hint",
                                    "answer again, or in the pane"));
    }
}

/* What is asked long enough is told, also when its dialog was not seen: with what the agent says. */
static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct approvals *approvals = &host->approvals;
    int64_t now = host_now_ms(), oldest = host->activity.detector.phase.since_ms, due = 0;

    (void)descriptor;
    (void)what;
    approvals_look(host);
    if (host->activity.reported == PHASE_APPROVAL && approvals->count == 0 && now >= oldest + UNSEEN_MS) {
        const char *kind = "permission", *words = status_words(host, &kind);
        struct approval *approval = add(host, EVIDENCE_STATUS, NULL, request_object(kind, NULL, words, NULL));
        if (approval != NULL)
            tell(host, approval);
    }
    not_taken(host, now);
    for (size_t i = 0; i < approvals->count; i++) {
        const struct approval *approval = &approvals->items[i];
        if (now >= approval->asked_ms + UNSEEN_MS)
            tell(host, &approvals->items[i]);
        else if (!approval->told && approval->asked_ms > oldest)
            oldest = approval->asked_ms;
        if (approval->answer != NULL && (due == 0 || approval->answered_ms + NOT_TAKEN_MS < due))
            due = approval->answered_ms + NOT_TAKEN_MS;
    }
    if (now < oldest + UNSEEN_MS && (due == 0 || oldest + UNSEEN_MS < due))
        due = oldest + UNSEEN_MS;
    if (due != 0)
        host_timer(approvals->timer, (due > now ? due - now : 1) * 1000000LL);
}

void approvals_follow(struct host *host, enum phase phase)
{
    struct approvals *approvals = &host->approvals;

    if (phase == PHASE_APPROVAL) {
        host_timer(approvals->timer, UNSEEN_MS * 1000000LL);
        approvals_look(host);
    } else if (phase != PHASE_APPROVAL) {
        settle_before(host);
        approvals->drawn = 0;
        event_del(approvals->timer);
        for (size_t i = 0; i < approvals->count;) {
            if (approvals->items[i].source == EVIDENCE_STREAM)
                i++;
            else
                resolve(host, &approvals->items[i], phase_is_end(phase) ? "gone" : NULL);
        }
    }
}

/* ---- life ---- */

void approvals_init(struct host *host)
{
    host->approvals.timer = evtimer_new(host->loop, timer_fired, host);
    host->approvals.given = (uint64_t)json_integer_value(session_kept(&host->session, "approvals"));
    host->approvals.before = json_copy(pending(host));
    json_array_clear(pending(host));
}

void approvals_clear(struct host *host)
{
    struct approvals *approvals = &host->approvals;

    event_del(approvals->timer);
    while (approvals->count > 0)
        resolve(host, &approvals->items[0], "gone");
    settle_before(host);
    approval_keys_stop(host);
}

void approvals_finish(struct host *host)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->count; i++)
        free(approvals->items[i].asked_as);
    approval_keys_stop(host);
    json_decref(approvals->before);
    event_free(approvals->timer);
}

void approvals_say(struct host *host, const char *text)
{
    char id[UUID_SIZE];
    struct prompt *prompt;

    if (stream_mode(host))
        return; /* the answer carried it */
    uuid_generate(id);
    prompt = prompt_queue_add(&host->delivery.queue, id, text, PROMPT_NEXT);
    if (prompt == NULL)
        return;
    prompt->seq = events_emit(
        host, "prompt_queued",
        json_pack("{ss ss ss ss}", "prompt_id", id, "text", text, "priority", "next", "change", "added"));
    delivery_changed(host);
}

/* ---- answers ---- */

static int fail(const char **why, int code, const char *reason)
{
    *why = reason;
    return code;
}

static struct approval *wanted(struct host *host, const char *id, const char **why, int *code)
{
    struct approvals *approvals = &host->approvals;

    *code = 0;
    for (size_t i = 0; i < approvals->count && id != NULL; i++) {
        if (strcmp(approvals->items[i].id, id) == 0)
            return &approvals->items[i];
    }
    if (id != NULL)
        *code = fail(why, RPC_STALE, "that request is no longer there");
    else if (approvals->count == 0)
        *code = fail(why, RPC_STALE, "nothing is pending");
    else if (approvals->count > 1)
        *code = fail(why, RPC_INVALID_PARAMS, "several requests are pending: say which one (id)");
    return *code == 0 ? &approvals->items[0] : NULL;
}

static const char *outcome_of(const struct approval_answer *answer)
{
    return answer->choice > 0 || (answer->approve && answer->text != NULL) ? "answered"
           : answer->approve                                               ? "approved"
                                                                           : "denied";
}

static int over_stream(struct host *host, struct approval *approval, const struct approval_answer *answer,
                       const char **why)
{
    const char *before = approval->answer;
    char *asked_as = xstrdup(approval->asked_as == NULL ? "" : approval->asked_as);
    int result;

    /* The channel settles it while it sends. */
    approval->answer = outcome_of(answer);
    result = stream_answer(host, asked_as, answer);
    if (result < 0 && find(host, asked_as) != NULL)
        find(host, asked_as)->answer = before;
    free(asked_as);
    return result < 0 ? fail(why, RPC_STALE, "the agent does not wait for that answer, or has no such choice")
                      : 0;
}

int approvals_answer(struct host *host, const char *id, const struct approval_answer *answer,
                     char answered[32], const char **why)
{
    int code;
    struct approval *approval = wanted(host, id, why, &code);

    if (approval == NULL)
        return code;
    (void)strlcpy(answered, approval->id, 32);
    if (approval->answer != NULL)
        return fail(why, RPC_STALE, "it was just answered");
    if (approval->source == EVIDENCE_STREAM)
        return over_stream(host, approval, answer, why);
    code = approval_keys_send(host, approval->dialog, answer, why);
    if (code != 0)
        return code;
    approval->answer = outcome_of(answer);
    approval->answered_ms = host_now_ms();
    host_timer(host->approvals.timer, NOT_TAKEN_MS * 1000000LL);
    return 0;
}
