/*
 * A one-shot timer of the wall clock, for resets and other deadlines that are times of day: it is due when that time has come
 * by the clock, also after the machine slept through it, and fires early when the clock is set, so that its owner looks again
 * what time it is.
 */
#ifndef HOST_WALL_TIMER_H
#define HOST_WALL_TIMER_H

#include <event2/event.h>
#include <stdint.h>

struct wall_timer;

/* `fired` is called in the loop: it must compare the time itself. NULL when the kernel has no descriptor to spare. */
struct wall_timer *wall_timer_create(struct event_base *loop, void (*fired)(void *argument), void *argument);
void wall_timer_destroy(struct wall_timer *timer);
/* Due at that time, ms since 1970; in the past: at once. */
void wall_timer_set(struct wall_timer *timer, int64_t at_ms);
void wall_timer_stop(struct wall_timer *timer);

#endif
