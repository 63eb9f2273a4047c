/* Playing without a terminal of one's own: the output's bytes, at their times. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "replay/play.h"

static const char restore[] =
    "\033[!p\033[?1049l\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l\033[?25h\033[0m\r\n";

static void end_by_signal(int number)
{
    ssize_t written = write(STDOUT_FILENO, restore, sizeof restore - 1);

    (void)written;
    (void)raise(number);
}

/* Whatever mode the recording has left the terminal in, it is not left so. */
static void watch_signals(void)
{
    static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct sigaction action = {.sa_handler = end_by_signal, .sa_flags = (int)SA_RESETHAND}, before;

    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            (void)sigaction(ending[i], &action, NULL);
}

static void wait_until(const struct timespec *start, double seconds)
{
    struct timespec at = *start;
    double whole = floor(seconds);

    at.tv_sec += (time_t)whole;
    at.tv_nsec += (long)((seconds - whole) * 1e9);
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* Seconds from the start at which something recorded is printed: what is before --at at once, pauses at most --idle. */
struct schedule {
    double last, due;
};

static double schedule(struct schedule *schedule, const struct play_options *options, double seconds)
{
    double from = options->at > schedule->last ? options->at : schedule->last;
    double pause = seconds > from ? seconds - from : 0;

    if (options->idle > 0 && pause > options->idle)
        pause = options->idle;
    schedule->last = seconds > schedule->last ? seconds : schedule->last;
    return schedule->due += pause / options->speed;
}

static int print(struct recording_reader *reader, const struct play_options *options, struct error *error)
{
    struct schedule times = {0};
    struct recording_event event;
    struct timespec start;
    int got;

    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    while ((got = recording_reader_next(reader, &event, error)) == 1) {
        if (event.type != 'o')
            continue;
        wait_until(&start, schedule(&times, options, isfinite(event.seconds) ? event.seconds : times.last));
        if (fwrite(event.text, 1, event.length, stdout) != event.length || fflush(stdout) != 0)
            return errno == EPIPE ? 0 : error_errno(error, "cannot write");
    }
    return got;
}

int play_raw(const struct play_options *options, struct error *error)
{
    struct recording_reader *reader = source_open(&options->source, 0, error);
    uint64_t left_out;
    int result;

    if (reader == NULL)
        return -1;
    if (isatty(STDOUT_FILENO))
        watch_signals();
    result = print(reader, options, error);
    left_out = recording_reader_left_out(reader);
    recording_reader_destroy(reader);
    if (isatty(STDOUT_FILENO))
        (void)fputs(restore, stdout);
    (void)fflush(stdout);
    source_tell_left_out(left_out);
    return result;
}
