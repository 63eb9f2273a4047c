#include "cli/headless_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define FULL_BYTES (1024 * 1024)

void headless_output_settle(void)
{
    int null;

    while ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && null <= STDERR_FILENO)
        (void)fcntl(null, F_SETFD, 0);
    if (null >= 0)
        close(null);
}

void headless_output_init(struct headless_output *output)
{
    *output = (struct headless_output){.gone = false};
    buffer_init(&output->pending);
}

void headless_output_finish(struct headless_output *output)
{
    buffer_finish(&output->pending);
}

void headless_output_add(struct headless_output *output, const char *bytes, size_t length)
{
    if (!output->gone)
        buffer_append(&output->pending, bytes, length);
}

bool headless_output_waits(const struct headless_output *output)
{
    return !output->gone && output->pending.length > 0;
}

bool headless_output_full(const struct headless_output *output)
{
    return output->pending.length > FULL_BYTES;
}

static void give_up(struct headless_output *output, int why)
{
    output->gone = true;
    buffer_finish(&output->pending);
    /* Who closed a pipe knows. */
    if (why != EPIPE)
        (void)cli_errorf("run", "cannot write to standard output: %s; the run goes on without it",
                         strerror(why));
}

void headless_output_ready(struct headless_output *output, short events)
{
    size_t piece = output->pending.length < PIPE_BUF ? output->pending.length : PIPE_BUF;
    ssize_t written;

    if (output->gone || events == 0)
        return;
    if ((events & (POLLERR | POLLNVAL)) != 0) {
        give_up(output, EPIPE);
        return;
    }
    if (piece == 0)
        return;
    /* A pipe with room takes PIPE_BUF bytes without blocking. */
    written = write(STDOUT_FILENO, output->pending.bytes, piece);
    if (written > 0)
        buffer_consume(&output->pending, (size_t)written);
    else if (written < 0 && errno != EINTR && errno != EAGAIN)
        give_up(output, errno);
}
