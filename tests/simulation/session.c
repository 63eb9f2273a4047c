#include <stdio.h>
#include <string.h>

#include "policy/rotation.h"
#include "tests/simulation/world.h"

#define PERSON_MS HOUR_MS /* until a person looks after a session that stopped */
#define RETURN_SHARE 0.6  /* of those that die */
#define LOGIN_HEALS 0.7
#define NIGHT_SHARE 0.25 /* sessions that are given all their work at two in the morning */

static int64_t working_hours(struct session *session)
{
    int64_t day = draw_between(&session->random, 0, world->options.days - 1);

    return day * DAY_MS + 9 * HOUR_MS + draw_between(&session->random, 0, 9 * HOUR_MS);
}

static void sort_times(int64_t *times, int count)
{
    for (int i = 1; i < count; i++) {
        for (int k = i; k > 0 && times[k - 1] > times[k]; k--) {
            int64_t swapped = times[k];

            times[k] = times[k - 1];
            times[k - 1] = swapped;
        }
    }
}

void session_init(struct session *session, int index)
{
    int64_t night = 2 * HOUR_MS;

    (void)snprintf(session->uuid, sizeof session->uuid, "00000000-0000-4000-8000-%012d", index);
    session->random = world->options.seed * 1000003 + (uint64_t)index;
    session->worker = index % world->options.workers;
    session->account = index % world->options.accounts;
    session->rotates = draw(&session->random) < 0.3;
    session->alive = true;
    night += draw_between(&session->random, 0, world->options.days - 1) * DAY_MS;
    if (draw(&session->random) >= NIGHT_SHARE)
        night = 0;
    for (int i = 0; i < world->options.prompts; i++)
        session->arrival_ms[i] = tick_after(world->begin_ms + (night > 0 ? night : working_hours(session)));
    sort_times(session->arrival_ms, world->options.prompts);
    session->state = STATE_IDLE;
    session->wake_ms = session->arrival_ms[0];
}

static void sleep_for(struct session *session, enum session_state state, int64_t ms)
{
    session->state = state;
    session->wake_ms = tick_after(world->now_ms + ms);
}

static void back_off(struct session *session, int64_t until_ms)
{
    session->state = STATE_BACKOFF;
    session->until_ms = until_ms;
    session->wake_ms = world_ms(until_ms);
}

/* ---- turns on an account, as they are seen from outside ---- */

static void end_probe(struct session *session)
{
    if (session->probing)
        world->accounts[session->account].probing--;
    session->probing = false;
}

static void leave_account(struct session *session)
{
    struct account *account = &world->accounts[session->account];

    world_lock();
    end_probe(session);
    account->running--;
    account->last_change_ms = world->now_ms;
    world_unlock();
}

static void count_first_wait(struct account *account, const struct session *session)
{
    struct waits *first = &world->figures.first;
    int64_t over_ms = account_over_ms(account);

    if (!account->exhausted || account->usable_from_ms > world->now_ms)
        return;
    account->exhausted = false;
    if (session->held && session->held_since_ms < account->usable_from_ms && first->count < WAITS_MAX)
        first->ms[first->count++] = (int32_t)(world->now_ms > over_ms ? world->now_ms - over_ms : 0);
}

static void count_release(struct account *account)
{
    int64_t gap_ms = world->now_ms - account->last_release_ms;

    world->figures.releases++;
    if (account->last_release_ms > 0 && gap_ms < account->least_gap_ms)
        account->least_gap_ms = gap_ms;
    account->last_release_ms = world->now_ms;
}

static void enter_account(struct session *session)
{
    struct account *account = &world->accounts[session->account];

    world_lock();
    world->figures.grants++;
    if (++account->running > account->running_max)
        account->running_max = account->running;
    account->last_change_ms = world->now_ms;
    session->probing = account->recovering;
    account->probing += session->probing;
    if (account->probing > account->probing_max)
        account->probing_max = account->probing;
    count_first_wait(account, session);
    if (session->held)
        count_release(account);
    world_unlock();
    session->held = false;
}

/* ---- a session dies, and maybe comes back ---- */

static void die(struct session *session)
{
    bool returns = draw(&session->random) < RETURN_SHARE;

    world_lock();
    world->figures.deaths++;
    world->figures.returns += returns;
    world->accounts[session->account].disturbed_ms = world->now_ms;
    world_unlock();
    session->alive = false;
    if (returns) {
        sleep_for(session, STATE_DEAD, draw_between(&session->random, 1, 3600) * 1000);
        return;
    }
    session->state = STATE_GONE;
    session->wake_ms = NEVER;
    for (int i = session->prompt; i < world->options.prompts; i++)
        session->fate[i] = FATE_ABANDONED;
}

static void begin_prompt(struct session *session)
{
    session->step = 0;
    session->steps = (int)draw_between(&session->random, 1, STEPS_MAX / 2);
    session->tries = 0;
    session->login_checked = session->through = session->held = false;
    session->jitter_ms =
        draw_between(&session->random, world->rules.jitter_min_ms, world->rules.jitter_max_ms);
    session->state = STATE_ASKING;
}

static void end_prompt(struct session *session, enum fate fate)
{
    session->fate[session->prompt++] = (unsigned char)fate;
    if (session->prompt == world->options.prompts) {
        session->state = STATE_DONE;
        session->wake_ms = NEVER;
        return;
    }
    session->state = STATE_IDLE;
    session->wake_ms = tick_after(session->arrival_ms[session->prompt]);
    session->steps = 0;
}

/* A prompt that the agent had, of which the session that died did not note that it was done, is never sent again. */
static void come_back(struct session *session)
{
    session->alive = true;
    session->held = session->through = false;
    if (session->steps > 0 && session->accepted[session->prompt][session->step] > 0) {
        end_prompt(session, FATE_UNCERTAIN);
        (void)turn_do(session, TURN_OVER, 0, NULL);
        return;
    }
    sleep_for(session, STATE_ASKING, 0);
}

/* ---- what follows a failure ---- */

static void move_account(struct session *session)
{
    struct rotation_account accounts[ACCOUNTS_MAX] = {{.name = NULL}};
    struct ledger *ledger;
    int chosen;

    ledger = ledger_open(world->options.state_dir, LEDGER_READ, NULL);
    if (ledger == NULL)
        return;
    for (int i = 0; i < world->options.accounts; i++) {
        accounts[i].name = world->accounts[i].name;
        accounts[i].percent = -1;
        accounts[i].limited_until_ms =
            ledger_limited_until(ledger, world->accounts[i].key, machine_ms(), NULL);
    }
    ledger_close(ledger);
    chosen = rotation_choose(accounts, (size_t)world->options.accounts, session->account, ROTATE_LEAST_USED,
                             machine_ms());
    if (chosen < 0)
        return;
    (void)turn_do(session, TURN_OVER, 0, NULL);
    session->account = chosen;
    session->held = false;
    world_lock();
    world->figures.rotations++;
    world_unlock();
}

static struct retry_decision decide(struct session *session, const char *class)
{
    struct retry_case what = {.class = class,
                              .resets_at_ms = session->told_reset_ms,
                              .retry_after_ms = session->told_after_ms,
                              .now_ms = machine_ms(),
                              .tries = ++session->tries,
                              .failing_ms = session->tries > 1 ? machine_ms() - session->failing_since_ms : 0,
                              .login_checked = session->login_checked,
                              .random = draw(&session->random)};

    if (session->tries == 1)
        session->failing_since_ms = machine_ms();
    return retry_decide(&world->rules, &what);
}

static void stop(struct session *session)
{
    world_lock();
    world->figures.stops++;
    world_unlock();
    session->tries = 0;
    session->login_checked = false;
    back_off(session, machine_ms() + PERSON_MS);
}

static void follow(struct session *session, const struct retry_decision *decision)
{
    switch (decision->action) {
    case RETRY_LIMITED:
        session->jitter_ms = decision->jitter_ms;
        sleep_for(session, STATE_ASKING, 0);
        if (session->rotates)
            move_account(session);
        return;
    case RETRY_WAIT:
        back_off(session, decision->at_ms);
        return;
    case RETRY_LOGIN:
        session->login_checked = draw(&session->random) < LOGIN_HEALS;
        if (!session->login_checked)
            break;
        back_off(session, machine_ms() + 1000);
        return;
    case RETRY_LEAVE:
    case RETRY_STOP:
        break;
    }
    stop(session);
}

static void fail(struct session *session)
{
    static const char *const classes[] = {NULL, "rate_limit", "overloaded", "authentication", "network"};
    struct retry_decision decision = decide(session, classes[session->verdict]);

    leave_account(session);
    session->through = false;
    if (session->verdict != VERDICT_LIMITED)
        (void)turn_do(session, TURN_OVER, 0, NULL);
    else
        (void)turn_do(session, TURN_REFUSED, decision.action == RETRY_LIMITED ? decision.at_ms : 0, NULL);
    world->accounts[session->account].recovering |= session->verdict == VERDICT_LIMITED;
    follow(session, &decision);
}

/* ---- a turn ---- */

static void request(struct session *session)
{
    struct reply reply = vendor_request(session);

    session->verdict = reply.verdict;
    session->told_reset_ms = reply.reset_ms;
    session->told_after_ms = reply.after_ms;
    sleep_for(session, STATE_REQUEST, draw_between(&session->random, 300, 5000));
}

static void ask(struct session *session)
{
    struct ledger_permission permission = {.wait = LEDGER_GO};

    if (session->held && draw(&session->random) < world->options.die / 20) {
        turn_killed(session);
        die(session);
        return;
    }
    if (!turn_do(session, TURN_ASK, 0, &permission)) {
        sleep_for(session, STATE_ASKING, 1000);
        return;
    }
    session->wait = permission.wait;
    if (permission.wait == LEDGER_GO) {
        enter_account(session);
        request(session);
        return;
    }
    if (!session->held)
        session->held_since_ms = world->now_ms;
    session->held = true;
    session->state = STATE_ASKING;
    session->wake_ms = permission.again_ms > 0 ? world_ms(permission.again_ms) : NEVER;
}

static bool dies_in_turn(struct session *session)
{
    if (draw(&session->random) >= world->options.die)
        return false;
    leave_account(session);
    die(session);
    return true;
}

/* The machine slept through an answer: its connection is broken, what was asked is done. */
static bool slept(const struct session *session)
{
    return world->now_ms > session->wake_ms + MINUTE_MS;
}

static void next_step(struct session *session)
{
    if (++session->step < session->steps) {
        request(session);
        return;
    }
    leave_account(session);
    (void)turn_do(session, TURN_OVER, 0, NULL);
    end_prompt(session, FATE_DONE);
}

static void broken(struct session *session)
{
    world_lock();
    world->figures.broken++;
    world_unlock();
    if (session->verdict == VERDICT_ACCEPTED && ++session->step == session->steps &&
        session->steps < STEPS_MAX)
        session->steps++;
    session->verdict = VERDICT_NETWORK;
    fail(session);
}

static void first_sign(struct session *session)
{
    if (session->verdict != VERDICT_ACCEPTED) {
        fail(session);
        return;
    }
    session->tries = 0;
    session->login_checked = false;
    world_lock();
    end_probe(session);
    if (!session->through)
        world->accounts[session->account].recovering = false;
    world_unlock();
    if (!session->through)
        session->through = turn_do(session, TURN_THROUGH, 0, NULL);
    sleep_for(session, STATE_ANSWER, draw_between(&session->random, 5, 180) * 1000);
}

void session_run(struct session *session)
{
    switch (session->state) {
    case STATE_IDLE:
        begin_prompt(session);
        ask(session);
        return;
    case STATE_BACKOFF:
        if (machine_ms() < session->until_ms)
            session->wake_ms = world_ms(session->until_ms);
        else
            ask(session);
        return;
    case STATE_ASKING:
        ask(session);
        return;
    case STATE_REQUEST:
    case STATE_ANSWER:
        if (slept(session))
            broken(session);
        else if (dies_in_turn(session))
            return;
        else if (session->state == STATE_REQUEST)
            first_sign(session);
        else
            next_step(session);
        return;
    case STATE_DEAD:
        come_back(session);
        return;
    case STATE_GONE:
    case STATE_DONE:
        return;
    }
}
