#include "policy/retry.h"

#include <string.h>

#include "policy/errors.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define RESET_AHEAD_MAX_MS (32 * DAY_MS) /* what is said to be further ahead is a mistake */
#define DELAY_LEAST_MS 100
/* A clock that is set back lets the time that passed shrink; tries only grow. */
#define TRIES_MAX 64
#define RESOURCE_FACTOR 10

static int64_t milliseconds(double seconds)
{
    return seconds > 0 ? (int64_t)(seconds * 1000 + 0.5) : 0;
}

static int64_t read_ms(const struct config *config, const char *path)
{
    return milliseconds(config_number(config, path));
}

void retry_rules_load(struct retry_rules *rules, const struct config *config)
{
    const json_t *delays = config_value(config, "retry.rate_limit.delays_s"), *delay;
    const json_t *jitter = config_value(config, "retry.rate_limit.jitter_s");
    size_t i;

    *rules = (struct retry_rules){.max_attempts = (int)config_number(config, "retry.rate_limit.max_attempts"),
                                  .max_wait_ms = read_ms(config, "retry.rate_limit.max_wait_s"),
                                  .stagger_ms = read_ms(config, "retry.rate_limit.stagger_s"),
                                  .probe_ms = read_ms(config, "retry.rate_limit.probe_s"),
                                  .initial_ms = read_ms(config, "retry.transient.initial_s"),
                                  .max_ms = read_ms(config, "retry.transient.max_s"),
                                  .max_elapsed_ms = read_ms(config, "retry.transient.max_elapsed_s")};
    json_array_foreach(delays, i, delay)
    {
        if (rules->delay_count < RETRY_DELAYS_MAX)
            rules->delays_ms[rules->delay_count++] = milliseconds(json_number_value(delay));
    }
    rules->jitter_min_ms = milliseconds(json_number_value(json_array_get(jitter, 0)));
    rules->jitter_max_ms = milliseconds(json_number_value(json_array_get(jitter, 1)));
    if (rules->jitter_max_ms < rules->jitter_min_ms)
        rules->jitter_max_ms = rules->jitter_min_ms;
}

static struct retry_decision stop(const char *reason)
{
    return (struct retry_decision){.action = RETRY_STOP, .reason = reason};
}

static struct retry_decision wait_until(int64_t at_ms, const char *reason)
{
    return (struct retry_decision){.action = RETRY_WAIT, .at_ms = at_ms, .reason = reason};
}

static double share(double random)
{
    return random > 0 ? random < 1 ? random : 1 : 0;
}

static int64_t draw(int64_t least, int64_t most, double random)
{
    return most > least ? least + (int64_t)((double)(most - least) * share(random)) : least;
}

/* The wait before the try after `tries`; the last is repeated. */
static int64_t delay_after(const struct retry_rules *rules, int tries)
{
    int index = tries < 1 ? 0 : tries - 1;

    if (rules->delay_count <= 0)
        return 0;
    return rules->delays_ms[index < rules->delay_count ? index : rules->delay_count - 1];
}

/* Resets that are told and do not hold must not make a loop that never pauses; the reset itself stays what was told. */
static int64_t jitter_after(const struct retry_rules *rules, const struct retry_case *what, int64_t now_ms)
{
    int64_t jitter = draw(rules->jitter_min_ms, rules->jitter_max_ms, what->random);
    int64_t pause = now_ms + delay_after(rules, what->tries) - what->resets_at_ms;

    return what->tries > rules->max_attempts && jitter < pause ? pause : jitter;
}

static struct retry_decision limited(const struct retry_rules *rules, const struct retry_case *what,
                                     int64_t now_ms)
{
    if (what->resets_at_ms - now_ms > rules->max_wait_ms)
        return stop("the limit's reset is further away than retry.rate_limit.max_wait_s");
    return (struct retry_decision){.action = RETRY_LIMITED,
                                   .at_ms = what->resets_at_ms,
                                   .jitter_ms = jitter_after(rules, what, now_ms),
                                   .reason = "the account is at its limit until the reset"};
}

static struct retry_decision limited_for_unknown(const struct retry_rules *rules,
                                                 const struct retry_case *what, int64_t now_ms)
{
    int64_t after_ms = what->retry_after_ms;

    if (what->tries > rules->max_attempts)
        return stop("the limit held after retry.rate_limit.max_attempts further tries");
    if (after_ms > 0 && after_ms <= RESET_AHEAD_MAX_MS) {
        if (after_ms > rules->max_wait_ms)
            return stop("the server asks for a longer wait than retry.rate_limit.max_wait_s");
        return wait_until(now_ms + after_ms, "the server said when to try again");
    }
    if (what->resets_at_ms > 0 && what->resets_at_ms <= now_ms && what->tries <= 1)
        return wait_until(now_ms + draw(rules->jitter_min_ms, rules->jitter_max_ms, what->random),
                          "the limit's reset has passed");
    return wait_until(now_ms + delay_after(rules, what->tries), "the limit's reset is not known");
}

/* Exponential with full jitter. `factor`: how many times slower than after a transient failure. */
static struct retry_decision back_off(const struct retry_rules *rules, const struct retry_case *what,
                                      int64_t now_ms, int64_t factor, const char *reason)
{
    int64_t most = rules->initial_ms * factor, delay, failing = what->failing_ms > 0 ? what->failing_ms : 0;

    for (int i = 1; i < what->tries && most < rules->max_ms * factor; i++)
        most *= 2;
    if (most > rules->max_ms * factor)
        most = rules->max_ms * factor;
    delay = draw(0, most, what->random);
    if (delay < DELAY_LEAST_MS)
        delay = DELAY_LEAST_MS;
    if (what->retry_after_ms > delay)
        delay = what->retry_after_ms < RESET_AHEAD_MAX_MS ? what->retry_after_ms : RESET_AHEAD_MAX_MS;
    if (failing > rules->max_elapsed_ms * factor - delay || what->tries > TRIES_MAX)
        return stop("it failed for as long as retry.transient.max_elapsed_s allows");
    return wait_until(now_ms + delay, reason);
}

static struct retry_decision decide_limit(const struct retry_rules *rules, const struct retry_case *what,
                                          int64_t now_ms)
{
    if (what->resets_at_ms > now_ms && what->resets_at_ms - now_ms <= RESET_AHEAD_MAX_MS)
        return limited(rules, what, now_ms);
    return limited_for_unknown(rules, what, now_ms);
}

static struct retry_decision decide_permanent(const struct error_rule *rule, const struct retry_case *what)
{
    if (strcmp(rule->class, "authentication") != 0)
        return stop("the same request would fail again");
    if (what->login_checked)
        return stop("the login was looked at again and is refused all the same");
    return (struct retry_decision){.action = RETRY_LOGIN, .reason = "the login is looked at again, once"};
}

struct retry_decision retry_decide(const struct retry_rules *rules, const struct retry_case *what)
{
    const struct error_rule *rule = error_rule_find(what->class);
    int64_t now_ms = what->now_ms > 0 ? what->now_ms : 0;
    struct retry_decision decision;

    if (what->agent_continues)
        return (struct retry_decision){.action = RETRY_LEAVE, .reason = "the agent goes on by itself"};
    switch (rule->group) {
    case ERROR_RETRYABLE:
        if (strcmp(rule->class, "rate_limit") == 0)
            return decide_limit(rules, what, now_ms);
        return back_off(rules, what, now_ms, 1, "the failure is expected to pass");
    case ERROR_RESOURCE:
        decision = back_off(rules, what, now_ms, RESOURCE_FACTOR,
                            "the machine is short of something: fewer turns at once");
        decision.fewer = true;
        return decision;
    case ERROR_PERMANENT:
        return decide_permanent(rule, what);
    case ERROR_CONTEXT:
        return stop("the turn was ended, not refused");
    case ERROR_UNKNOWN:
        break;
    }
    return stop("it is not known what went wrong");
}
