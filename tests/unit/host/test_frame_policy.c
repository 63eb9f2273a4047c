#include "host/frame_policy.h"

#include "test.h"

static const int64_t start = 5000000000;

TEST(first_frame_goes_at_once)
{
    struct frame_policy policy = {0};
    int64_t when;

    CHECK_NUMBER(frame_policy_decide(&policy, 50, start, &when), FRAME_SEND);
    CHECK_NUMBER(frame_policy_send(&policy, 50, start), 1);
}

TEST(large_frames_wait_for_the_last_one)
{
    struct frame_policy policy = {0};
    int64_t when = 0;

    frame_policy_send(&policy, 50, start);
    CHECK_NUMBER(frame_policy_decide(&policy, 50, start + FRAME_INTERVAL_NS, &when), FRAME_WAIT_ACK);
    CHECK(frame_policy_acknowledge(&policy, 1));
    CHECK_NUMBER(frame_policy_decide(&policy, 50, start + 1000, &when), FRAME_WAIT_TIME);
    CHECK_NUMBER(when, start + FRAME_INTERVAL_NS);
    CHECK_NUMBER(frame_policy_decide(&policy, 50, when, &when), FRAME_SEND);
}

TEST(small_frames_go_until_the_window_is_full)
{
    struct frame_policy policy = {0};
    int64_t when;

    for (int i = 1; i <= FRAME_WINDOW; i++) {
        CHECK_NUMBER(frame_policy_decide(&policy, FRAME_SMALL_ROWS, start, &when), FRAME_SEND);
        CHECK_NUMBER(frame_policy_send(&policy, FRAME_SMALL_ROWS, start), i);
    }
    CHECK_NUMBER(frame_policy_decide(&policy, 1, start, &when), FRAME_WAIT_ACK);
    CHECK(frame_policy_acknowledge(&policy, 4));
    CHECK_NUMBER(frame_policy_decide(&policy, 1, start, &when), FRAME_SEND);
}

/* A client that acknowledges every fourth frame must not hold a large one back for ever. */
TEST(large_frame_does_not_wait_for_small_ones)
{
    struct frame_policy policy = {0};
    int64_t when;

    frame_policy_send(&policy, 50, start);
    CHECK(frame_policy_acknowledge(&policy, 1));
    for (int i = 0; i < 3; i++)
        frame_policy_send(&policy, 1, start);
    CHECK_NUMBER(frame_policy_decide(&policy, 50, start + FRAME_INTERVAL_NS, &when), FRAME_SEND);
}

TEST(unknown_frames_are_not_acknowledged)
{
    struct frame_policy policy = {0};

    frame_policy_send(&policy, 1, start);
    CHECK(!frame_policy_acknowledge(&policy, 2));
    CHECK_NUMBER(policy.acked, 1);
    CHECK(frame_policy_acknowledge(&policy, 1));
    CHECK(frame_policy_acknowledge(&policy, 0));
    CHECK_NUMBER(policy.acked, 1);
}

TEST(synchronized_output_is_held_for_a_second)
{
    int64_t since = 0, when = 0;

    CHECK(!frame_policy_hold(&since, false, start, &when));
    CHECK(frame_policy_hold(&since, true, start, &when));
    CHECK_NUMBER(when, start + FRAME_HOLD_NS);
    CHECK(frame_policy_hold(&since, true, start + FRAME_HOLD_NS - 1, &when));
    CHECK(!frame_policy_hold(&since, true, start + FRAME_HOLD_NS, &when));
    CHECK(!frame_policy_hold(&since, false, start + FRAME_HOLD_NS + 1, &when));
    CHECK(frame_policy_hold(&since, true, start + FRAME_HOLD_NS + 2, &when));
}

TEST_MAIN
