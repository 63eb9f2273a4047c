#include "agent/phase.h"
#include "test.h"

static struct evidence say(enum phase phase, int64_t at_ms)
{
    return (struct evidence){.phase = phase, .at_ms = at_ms};
}

static bool observe(struct phase_state *state, enum evidence_source source, enum phase phase, int64_t at_ms)
{
    struct evidence evidence = say(phase, at_ms);

    return phase_observe(state, source, &evidence);
}

TEST(names_round_trip)
{
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        CHECK_NUMBER(phase_parse(phase_name(phase)), phase);
    CHECK_NUMBER(phase_parse("sleeping"), PHASE_COUNT);
}

TEST(a_higher_rank_wins_whatever_the_order)
{
    struct phase_state state;

    phase_init(&state, 1);
    CHECK(observe(&state, EVIDENCE_STATUS, PHASE_APPROVAL, 10));
    CHECK(!observe(&state, EVIDENCE_TITLE, PHASE_THINKING, 20));
    CHECK(!observe(&state, EVIDENCE_PROCESS, PHASE_UNKNOWN, 30));
    CHECK_NUMBER(state.phase, PHASE_APPROVAL);
    CHECK_NUMBER(state.source, EVIDENCE_STATUS);
    CHECK_NUMBER(state.since_ms, 10);
}

TEST(withdrawn_evidence_leaves_the_next_rank)
{
    struct phase_state state;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_TITLE, PHASE_THINKING, 10);
    (void)observe(&state, EVIDENCE_STATUS, PHASE_APPROVAL, 20);
    CHECK(phase_withdraw(&state, EVIDENCE_STATUS, 30));
    CHECK_NUMBER(state.phase, PHASE_THINKING);
    CHECK(!phase_withdraw(&state, EVIDENCE_STATUS, 40));
}

TEST(idle_is_debounced_and_nothing_else_is)
{
    struct phase_state state;
    int64_t next;

    phase_init(&state, 1);
    CHECK(observe(&state, EVIDENCE_TITLE, PHASE_THINKING, 10));
    CHECK(!observe(&state, EVIDENCE_TITLE, PHASE_IDLE, 20));
    CHECK(!phase_tick(&state, 30, &next));
    CHECK_NUMBER(next, 20 + PHASE_IDLE_DEBOUNCE_MS);
    CHECK(!observe(&state, EVIDENCE_TITLE, PHASE_THINKING, 40));
    CHECK(!phase_tick(&state, 1000, &next));
    CHECK_NUMBER(next, 0);
    CHECK_NUMBER(state.phase, PHASE_THINKING);
    CHECK(!observe(&state, EVIDENCE_TITLE, PHASE_IDLE, 2000));
    CHECK(phase_tick(&state, 2000 + PHASE_IDLE_DEBOUNCE_MS, &next));
    CHECK_NUMBER(state.phase, PHASE_IDLE);
}

TEST(silence_is_unknown_never_idle)
{
    struct phase_state state;
    int64_t next;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_PROCESS, PHASE_UNKNOWN, 10);
    CHECK(!phase_tick(&state, 1000000, &next));
    CHECK_NUMBER(state.phase, PHASE_UNKNOWN);
}

TEST(a_sent_prompt_connects_until_the_agent_speaks)
{
    struct phase_state state;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_STATUS, PHASE_THINKING, 10);
    CHECK(observe(&state, EVIDENCE_USER, PHASE_CONNECTING, 20));
    CHECK(!observe(&state, EVIDENCE_PROCESS, PHASE_UNKNOWN, 25));
    CHECK_NUMBER(state.phase, PHASE_CONNECTING);
    CHECK(observe(&state, EVIDENCE_STATUS, PHASE_THINKING, 30));
    CHECK_NUMBER(state.phase, PHASE_THINKING);
}

TEST(an_end_is_final)
{
    struct phase_state state;
    int64_t next;

    phase_init(&state, 1);
    (void)observe(&state, EVIDENCE_STATUS, PHASE_IDLE, 10);
    phase_end(&state, PHASE_FAILED, "exit code 3", 20);
    CHECK(!observe(&state, EVIDENCE_STATUS, PHASE_THINKING, 30));
    CHECK(!phase_withdraw(&state, EVIDENCE_PROCESS, 40));
    CHECK(!phase_tick(&state, 1000, &next));
    CHECK_NUMBER(state.phase, PHASE_FAILED);
    CHECK_STRING(state.evidence[EVIDENCE_PROCESS].detail, "exit code 3");
}

TEST_MAIN
