#include "host/frame_policy.h"

enum frame_decision frame_policy_decide(const struct frame_policy *policy, int rows, int64_t now,
                                        int64_t *when)
{
    if (policy->sent - policy->acked >= FRAME_WINDOW)
        return FRAME_WAIT_ACK;
    if (rows <= FRAME_SMALL_ROWS || policy->large == 0)
        return FRAME_SEND;
    if (policy->acked < policy->large)
        return FRAME_WAIT_ACK;
    *when = policy->large_at + FRAME_INTERVAL_NS;
    return now < *when ? FRAME_WAIT_TIME : FRAME_SEND;
}

uint64_t frame_policy_send(struct frame_policy *policy, int rows, int64_t now)
{
    policy->sent++;
    if (rows > FRAME_SMALL_ROWS) {
        policy->large = policy->sent;
        policy->large_at = now;
    }
    return policy->sent;
}

bool frame_policy_acknowledge(struct frame_policy *policy, uint64_t number)
{
    if (number > policy->sent) {
        policy->acked = policy->sent;
        return false;
    }
    if (number > policy->acked)
        policy->acked = number;
    return true;
}

bool frame_policy_hold(int64_t *since, bool synchronized, int64_t now, int64_t *when)
{
    if (!synchronized) {
        *since = 0;
        return false;
    }
    if (*since == 0)
        *since = now;
    *when = *since + FRAME_HOLD_NS;
    return now < *when;
}
