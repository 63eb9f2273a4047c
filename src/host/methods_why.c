#include "base/clock.h"
#include "base/json.h"
#include "host/host.h"
#include "host/methods.h"
#include "host/rules_file.h"

#include <stdlib.h>

static json_t *link_of(const struct host *host, enum evidence_source source)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    const struct evidence *evidence = &phase->evidence[source];
    enum evidence_source by = phase->overruled_by[source];
    int64_t age = host_now_ms() - evidence->at_ms;
    const char *why = phase->why[source];

    if (source != phase->source && by == EVIDENCE_COUNT) {
        by = phase->source;
        why = evidence_rank(by) <= evidence_rank(EVIDENCE_STATUS) &&
                      evidence_rank(source) <= evidence_rank(EVIDENCE_STATUS)
                  ? "the agent said it later"
              : evidence_rank(by) < evidence_rank(source)  ? "its rank is higher"
              : evidence->coarse                           ? "it knows more exactly"
              : evidence_rank(by) == evidence_rank(source) ? "it spoke later"
                                                           : "it speaks of what this leaves open";
    }
    return json_pack(
        "{ss si ss so so sf sb so so}", "source", evidence_source_name(source), "rank", evidence_rank(source),
        "phase", evidence->coarse ? "working" : phase_name(evidence->phase), "detail",
        json_string_or_null(evidence->detail), "at", json_time_or_null(clock_realtime_ms() - age), "age_s",
        (double)age / 1000, "deciding", source == phase->source, "overruled_by",
        source == phase->source ? json_null() : json_string(evidence_source_name(by)), "why",
        source == phase->source ? json_null() : json_string_or_null(why));
}

/* The deciding source first, then the others by rank. */
static json_t *chain(const struct host *host)
{
    const struct phase_state *phase = &host->activity.detector.phase;
    json_t *list = json_array();

    if (phase->evidence[phase->source].at_ms != 0)
        json_array_append_new(list, link_of(host, phase->source));
    for (enum evidence_source source = 0; source < EVIDENCE_COUNT; source++) {
        if (source != phase->source && phase->evidence[source].at_ms != 0)
            json_array_append_new(list, link_of(host, source));
    }
    return list;
}

int method_session_why(struct call *call)
{
    struct host *host = call->host;
    char *file = rules_file_found(host->driver->name);
    json_t *answer =
        json_pack("{sO sO sO? so sI s{ss si ss ss}}", "phase", json_object_get(host->session.object, "phase"),
                  "since", json_object_get(host->session.object, "phase_since"), "waiting",
                  json_object_get(host->session.object, "waiting"), "chain", chain(host), "subagents",
                  (json_int_t)host->activity.subagents, "rules", "agent", host->driver->name, "version",
                  RULES_VERSION, "seen", rules_seen(host->rules), "file", file == NULL ? "built in" : file);

    json_append_value(&call->result, answer);
    json_decref(answer);
    free(file);
    return 0;
}
