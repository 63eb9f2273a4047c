#include "tui/child.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tui/ui.h"

#define OUTPUT_MAX (1024 * 1024)

extern char **environ;

struct stream {
    struct child *child;
    struct event *readable; /* NULL: at its end */
    int descriptor;
    struct buffer text;
};

struct child {
    struct ui *ui;
    pid_t pid; /* 0: reaped */
    int status;
    child_done done;
    struct stream out, problems;
    struct child *next;
};

static void close_stream(struct stream *stream)
{
    if (stream->readable == NULL)
        return;
    event_free(stream->readable);
    stream->readable = NULL;
    close(stream->descriptor);
}

static void destroy(struct child *child)
{
    struct child **at = &child->ui->children;

    while (*at != NULL && *at != child)
        at = &(*at)->next;
    if (*at != NULL)
        *at = child->next;
    close_stream(&child->out);
    close_stream(&child->problems);
    buffer_finish(&child->out.text);
    buffer_finish(&child->problems.text);
    free(child);
}

/* The last line that is not blank, without "ganger: ". */
static const char *last_line(struct buffer *text)
{
    char *start;

    while (text->length > 0 && strchr("\r\n ", text->bytes[text->length - 1]) != NULL)
        text->bytes[--text->length] = '\0';
    if (text->length == 0)
        return "";
    start = strrchr(text->bytes, '\n');
    start = start == NULL ? text->bytes : start + 1;
    return strncmp(start, "ganger: ", 8) == 0 ? start + 8 : start;
}

/* Both streams at their end and the process reaped: the whole story is known. */
static void consider(struct child *child)
{
    if (child->pid != 0 || child->out.readable != NULL || child->problems.readable != NULL)
        return;
    if (child->done != NULL)
        child->done(child->ui, WIFEXITED(child->status) ? WEXITSTATUS(child->status) : -1,
                    child->out.text.length > 0 ? child->out.text.bytes : "",
                    last_line(&child->problems.text));
    destroy(child);
}

static void on_readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct stream *stream = argument;
    char bytes[4096];
    ssize_t got = read(descriptor, bytes, sizeof bytes);

    (void)what;
    if (got > 0 && stream->text.length < OUTPUT_MAX)
        buffer_append(&stream->text, bytes, (size_t)got);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_stream(stream);
        consider(stream->child);
    }
}

static void watch(struct child *child, struct stream *stream, int descriptor)
{
    stream->child = child;
    stream->descriptor = descriptor;
    stream->readable = event_new(child->ui->loop, descriptor, EV_READ | EV_PERSIST, on_readable, stream);
    (void)event_add(stream->readable, NULL);
}

static int spawn(pid_t *pid, char **argv, int out, int problems)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int code;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&files, problems, STDERR_FILENO);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    /* Its own group: a Ctrl+C meant for the dashboard's terminal does not reach it. */
    (void)posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    code = posix_spawn(pid, "/proc/self/exe", &files, &attributes, argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    return code;
}

static char **words(const char *const *arguments)
{
    size_t count = 0;
    char **argv;

    while (arguments[count] != NULL)
        count++;
    argv = xcalloc(count + 2, sizeof *argv);
    argv[0] = xstrdup("ganger");
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = xstrdup(arguments[i]);
    return argv;
}

void child_run(struct ui *ui, const char *const *arguments, child_done done)
{
    struct child *child;
    int out[2], problems[2], code;
    char **argv;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0) {
        ui_say(ui, true, "cannot run ganger %s: %s", arguments[0], strerror(errno));
        return;
    }
    if (pipe2(problems, O_CLOEXEC) < 0) {
        ui_say(ui, true, "cannot run ganger %s: %s", arguments[0], strerror(errno));
        close(out[0]);
        close(out[1]);
        return;
    }
    argv = words(arguments);
    code = spawn(&pid, argv, out[1], problems[1]);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
    close(out[1]);
    close(problems[1]);
    if (code != 0) {
        ui_say(ui, true, "cannot run ganger %s: %s", arguments[0], strerror(code));
        close(out[0]);
        close(problems[0]);
        return;
    }
    child = xcalloc(1, sizeof *child);
    child->ui = ui;
    child->pid = pid;
    child->done = done;
    child->next = ui->children;
    ui->children = child;
    watch(child, &child->out, out[0]);
    watch(child, &child->problems, problems[0]);
}

void child_reap(struct ui *ui)
{
    struct child *child = ui->children;

    while (child != NULL) {
        struct child *next = child->next;
        if (child->pid != 0 && waitpid(child->pid, &child->status, WNOHANG) == child->pid) {
            child->pid = 0;
            consider(child);
        }
        child = next;
    }
}

void child_close(struct ui *ui)
{
    while (ui->children != NULL)
        destroy(ui->children);
}
