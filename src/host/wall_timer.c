#include "host/wall_timer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/memory.h"

struct wall_timer {
    int descriptor;
    struct event *event;
    void (*fired)(void *argument);
    void *argument;
};

static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct wall_timer *timer = argument;
    uint64_t times;

    (void)what;
    /* ECANCELED says that the clock was set. */
    if (read(descriptor, &times, sizeof times) < 0 && errno == EAGAIN)
        return;
    wall_timer_stop(timer);
    timer->fired(timer->argument);
}

struct wall_timer *wall_timer_create(struct event_base *loop, void (*fired)(void *argument), void *argument)
{
    int descriptor = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    struct wall_timer *timer;

    if (descriptor < 0)
        return NULL;
    timer = xcalloc(1, sizeof *timer);
    *timer = (struct wall_timer){.descriptor = descriptor, .fired = fired, .argument = argument};
    timer->event = event_new(loop, descriptor, EV_READ | EV_PERSIST, readable, timer);
    return timer;
}

void wall_timer_destroy(struct wall_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    close(timer->descriptor);
    free(timer);
}

void wall_timer_set(struct wall_timer *timer, int64_t at_ms)
{
    /* 0 would switch it off. */
    int64_t at = at_ms > 0 ? at_ms : 1;
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000}};

    (void)timerfd_settime(timer->descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);
    event_add(timer->event, NULL);
}

void wall_timer_stop(struct wall_timer *timer)
{
    struct itimerspec never = {0};

    event_del(timer->event);
    (void)timerfd_settime(timer->descriptor, 0, &never, NULL);
}
