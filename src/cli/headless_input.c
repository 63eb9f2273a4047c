#include "cli/headless_input.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell(void)
{
    (void)fputs("ganger: run: standard input is not read: a command's input is the terminal of its session; "
                "a prompt is "
                "read from it as -\n",
                stderr);
}

struct pollfd headless_input_begin(void)
{
    struct stat status;

    if (fstat(STDIN_FILENO, &status) == 0) {
        if (S_ISREG(status.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) < status.st_size)
            tell();
        else if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
            return (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    }
    return (struct pollfd){.fd = -1};
}

void headless_input_ready(struct pollfd *input)
{
    int length = 0;

    if (input->fd < 0 || input->revents == 0)
        return;
    if (ioctl(input->fd, FIONREAD, &length) == 0 && length > 0)
        tell();
    input->fd = -1;
}
