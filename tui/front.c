#include "tui/front.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/input.h"
#include "tui/outer.h"
#include "tui/ui.h"

#define WORDS_MAX 8

extern char **environ;

static int spawn(pid_t *pid, const char *const *arguments)
{
    const char *argv[WORDS_MAX + 2] = {"ganger"};
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int code;

    for (size_t i = 0; i < WORDS_MAX && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    /* Of the dashboard's group, which has the terminal: a stop stops both. */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    code = posix_spawn(pid, "/proc/self/exe", NULL, &attributes, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    return code;
}

static void take_back(struct ui *ui)
{
    ui->front = 0;
    outer_take_back();
    input_pause(false);
    ui_arrange(ui);
    ui_paint(ui, PAINT_ALL);
}

void front_run(struct ui *ui, const char *const *arguments)
{
    int code;

    if (ui->front != 0)
        return;
    input_pause(true);
    outer_lend();
    code = spawn(&ui->front, arguments);
    if (code == 0)
        return;
    take_back(ui);
    ui_say(ui, true, "cannot run ganger %s: %s", arguments[0], strerror(code));
}

void front_reap(struct ui *ui)
{
    int status;

    if (ui->front == 0 || waitpid(ui->front, &status, WNOHANG) != ui->front)
        return;
    take_back(ui);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        ui_say(ui, true, "it could not be shown: the same command in a shell says why");
}

void front_end(struct ui *ui)
{
    if (ui->front == 0)
        return;
    (void)kill(ui->front, SIGTERM);
    while (waitpid(ui->front, NULL, 0) < 0 && errno == EINTR)
        ;
    ui->front = 0;
    outer_take_back();
}
