/*
 * What Claude Code notes about itself while it runs, $CLAUDE_CONFIG_DIR/sessions/PID.json: one object, written anew:
 * {pid, sessionId, cwd, version, status: busy | idle | waiting | shell, waitingFor, …}. Its hooks tell more, and sooner; this is
 * for a user, or an administrator, who has turned hooks off.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "base/json.h"
#include "base/memory.h"

struct session_file {
    char session[80], status[16], waiting_for[120];
};

static void *create(void)
{
    return xcalloc(1, sizeof(struct session_file));
}

/* Returns whether the text differs from what is kept. What is too long is not kept. */
static bool differs(char *kept, size_t size, const char *text)
{
    if (text == NULL || strlen(text) >= size || strcmp(kept, text) == 0)
        return false;
    memcpy(kept, text, strlen(text) + 1);
    return true;
}

static enum phase phase_of(const char *status)
{
    return strcmp(status, "busy") == 0      ? PHASE_THINKING
           : strcmp(status, "idle") == 0    ? PHASE_IDLE
           : strcmp(status, "waiting") == 0 ? PHASE_APPROVAL
                                            : PHASE_COUNT;
}

static void message(void *argument, const json_t *object, const struct observer *observer)
{
    struct session_file *state = argument;
    const char *session = json_member_string(object, "sessionId", NULL);
    const char *status = json_member_string(object, "status", "");
    bool waits = strcmp(status, "waiting") == 0;
    bool changed = differs(state->status, sizeof state->status, status);

    if (differs(state->waiting_for, sizeof state->waiting_for,
                waits ? json_member_string(object, "waitingFor", "") : ""))
        changed = true;
    if (differs(state->session, sizeof state->session, session))
        observer->observe(observer->argument,
                          &(struct observation){.kind = OBSERVED_SESSION,
                                                .id = session,
                                                .text = json_member_string(object, "version", NULL)});
    if (changed && phase_of(status) != PHASE_COUNT)
        observer->observe(
            observer->argument,
            &(struct observation){.kind = OBSERVED_PHASE,
                                  .phase = phase_of(status),
                                  .text = *state->waiting_for != '\0' ? state->waiting_for : NULL});
}

static const struct agent_channel channel = {.create = create, .destroy = free, .message = message};

const struct agent_file claude_session_file = {
    .channel = &channel, .home_variable = "CLAUDE_CONFIG_DIR", .home = ".claude", .by_pid = "sessions"};
