/*
 * When a client gets its next screen frame. A change of few rows goes at once as long as few frames wait for
 * their acknowledgement; larger frames go one at a time and at most 60 a second. So a client that stops
 * reading costs a bounded number of frames. Pure; times are monotonic nanoseconds.
 */
#ifndef HOST_FRAME_POLICY_H
#define HOST_FRAME_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_SMALL_ROWS 4
#define FRAME_WINDOW 8 /* frames not yet acknowledged */
#define FRAME_INTERVAL_NS 16666667
#define FRAME_HOLD_NS 1000000000 /* how long synchronized output may hold frames back */

struct frame_policy {
    uint64_t sent;    /* number of the newest frame; 0: none */
    uint64_t acked;   /* of the newest acknowledged one */
    uint64_t large;   /* of the newest large one; 0: none */
    int64_t large_at; /* when it was sent */
};

enum frame_decision { FRAME_SEND, FRAME_WAIT_ACK, FRAME_WAIT_TIME };

/* May a frame that changes `rows` rows go out? With FRAME_WAIT_TIME, *when is the time to ask again. */
enum frame_decision frame_policy_decide(const struct frame_policy *policy, int rows, int64_t now,
                                        int64_t *when);
/* Numbers the frame that goes out and returns its number. */
uint64_t frame_policy_send(struct frame_policy *policy, int rows, int64_t now);
/* The client has painted frames up to `number`. False when it was never sent: what was sent counts as painted then, and the
 * next frame must be a full one. */
bool frame_policy_acknowledge(struct frame_policy *policy, uint64_t number);

/* Synchronized output: *since is 0 or when the hold began, kept here. True while frames are to be held, with
 * *when the time at which that ends. */
bool frame_policy_hold(int64_t *since, bool synchronized, int64_t now, int64_t *when);

#endif
