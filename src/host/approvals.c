#include "host/approvals.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "host/host.h"

static void resolve(struct host *host)
{
    json_t *pending = json_object_get(host->session.object, "pending_approvals"), *request;
    size_t index;

    json_array_foreach(pending, index, request)
    {
        (void)events_emit(host, "approval_resolved",
                          json_pack("{ss}", "request", json_member_string(request, "id", "")));
    }
    json_array_clear(pending);
}

static void request(struct host *host)
{
    static const char *const kinds[] = {"permission", "permission", "question", "auth"};
    const struct status_record *record = program_status_summary(&host->activity.status);
    bool blocked = record != NULL && record->state == STATUS_BLOCKED;
    const char *kind = kinds[blocked ? record->kind : STATUS_KIND_NONE];
    const char *message = blocked ? record->message : NULL;
    char id[48];

    (void)snprintf(id, sizeof id, "%u-%llu", host->attempt.number,
                   (unsigned long long)++host->activity.approvals);
    json_array_append_new(json_object_get(host->session.object, "pending_approvals"),
                          json_pack("{ss ss sn so so so}", "id", id, "kind", kind, "tool", "input",
                                    json_string_or_null(message), "choices", json_array(), "since",
                                    json_time_or_null(clock_realtime_ms())));
    (void)events_emit(
        host, "approval_requested",
        json_pack("{ss ss so}", "request", id, "kind", kind, "input", json_string_or_null(message)));
}

void approvals_follow(struct host *host, enum phase phase)
{
    bool pending = json_array_size(json_object_get(host->session.object, "pending_approvals")) > 0;

    if (phase == PHASE_APPROVAL && !pending)
        request(host);
    else if (phase != PHASE_APPROVAL && pending)
        resolve(host);
}
