#include "host/handover.h"

#include <string.h>

#include "base/log.h"
#include "host/host.h"
#include "rpc/protocol.h"

#define DRAIN_MS 2000

/* What a host that follows could not know, or would take for the traces of a crash. NULL: nothing. */
static const char *what_is_half_done(const struct host *host)
{
    const struct attempt *attempt = &host->attempt;

    if (host->retry_wanted != 0)
        return "another attempt is about to begin";
    if (attempt->over)
        return NULL;
    if (attempt->ring == NULL || attempt->replaying)
        return "the attempt is about to begin";
    if (attempt->ending || attempt->reaped)
        return "the attempt is ending";
    if (host->delivery.stage != DELIVERY_NONE)
        return "a prompt is being sent";
    if (host->typing.keys.length > 0 || host->typing.replies.length > 0)
        return "the agent does not read its input";
    return host->cancel.tries > 0 ? "a turn is being interrupted" : NULL;
}

int handover_begin(struct host *host, struct handover *handover, struct error *error)
{
    const char *half_done = what_is_half_done(host);
    bool ended = host->attempt.over && !host->retrying.respawn;

    if (half_done != NULL) {
        error_set(error, "%s: ask again", half_done);
        return RPC_BUSY;
    }
    attempt_transcribe(host, false);
    attempt_checkpoint(host, true);
    session_changed(host, true);
    recorder_flush(host->recorder);
    if (!recorder_drain(host->recorder, DRAIN_MS)) {
        error_set(error, "the disk does not answer: ask again");
        return RPC_BUSY;
    }
    handover->state = ended ? "ended" : "leaving";
    log_note("asked to leave%s", ended ? "" : " for another host");
    host->handing_over = !ended;
    event_base_loopexit(host->loop, NULL);
    return 0;
}
