#include "host/before_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/environment.h"
#include "host/host.h"
#include "host/starting.h"

#define LOGGED_MAX (16 * 1024) /* bytes of a command's output */
#define LINE_MAX_BYTES 400

extern char **environ;

static const json_t *commands(const struct host *host)
{
    return json_object_get(config_agent(host->config, host->driver->name), "before_start");
}

static const char *program(const struct host *host, size_t index)
{
    const char *name = json_string_value(json_array_get(json_array_get(commands(host), index), 0));

    return name == NULL ? "" : name;
}

static const char *folder(const struct host *host)
{
    return json_member_string(host->session.start, "cwd",
                              json_member_string(host->session.object, "cwd", "/"));
}

/* ---- the environment ---- */

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

static bool is_named(const char *variable, const char *name)
{
    size_t length = name_length(name);

    return name_length(variable) == length && strncmp(variable, name, length) == 0;
}

static bool among(char *const *list, size_t count, const char *variable)
{
    for (size_t i = 0; i < count; i++) {
        if (is_named(list[i], variable))
            return true;
    }
    return false;
}

/* As the keeper makes it for the agent, but without the attempt's token. */
static char **merge(const struct host *host, const struct environment *changes)
{
    const struct arguments *set = &changes->set, *unset = &changes->unset;
    size_t inherited = 0, count = 0;
    char **made;

    while (environ[inherited] != NULL)
        inherited++;
    made = xcalloc(inherited + set->count + 3, sizeof *made);
    for (size_t i = 0; i < inherited; i++) {
        if (!among(unset->items, unset->count, environ[i]) && !among(set->items, set->count, environ[i]) &&
            !is_named(environ[i], "PWD"))
            made[count++] = xstrdup(environ[i]);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (!among(set->items + i + 1, set->count - i - 1, set->items[i]) &&
            !is_named(set->items[i], "GANGER_TOKEN") && !is_named(set->items[i], "PWD"))
            made[count++] = xstrdup(set->items[i]);
    }
    made[count++] = xasprintf("PWD=%s", folder(host));
    made[count] = xasprintf("GANGER_SESSION=%s", host->uuid);
    return made;
}

static int make_environment(struct host *host, struct error *error)
{
    struct environment changes;
    int result = environment_plain(&changes, host, error);

    if (result == 0)
        host->before_start.environment = merge(host, &changes);
    environment_finish(&changes);
    return result;
}

/* It may hold secrets. */
static void forget_environment(struct before_start *before)
{
    for (char **entry = before->environment; entry != NULL && *entry != NULL; entry++) {
        explicit_bzero(*entry, strlen(*entry));
        free(*entry);
    }
    free(before->environment);
    before->environment = NULL;
}

/* ---- one command ---- */

static char **words_of(const json_t *command)
{
    char **words = xcalloc(json_array_size(command) + 1, sizeof *words);

    for (size_t i = 0; i < json_array_size(command); i++)
        words[i] = xstrdup(json_string_value(json_array_get(command, i)));
    return words;
}

/* In the child: nothing that another thread may have locked. The errno value of a failure goes to `report`. */
static _Noreturn void become(char **words, char **environment, const char *working_folder, int output,
                             int report, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), problem;
    sigset_t none;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() == parent && chdir(working_folder) == 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
        dup2(output, STDOUT_FILENO) == STDOUT_FILENO && dup2(output, STDERR_FILENO) == STDERR_FILENO) {
        environ = environment;
        (void)execvp(words[0], words);
    }
    problem = errno;
    (void)!write(report, &problem, sizeof problem);
    _exit(127);
}

/* Returns 0 or an errno value. */
static int spawn_child(struct host *host, char **words, int output)
{
    struct before_start *before = &host->before_start;
    int report[2], problem = 0;
    pid_t parent = getpid(), pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return errno;
    pid = fork();
    if (pid == 0)
        become(words, before->environment, folder(host), output, report[1], parent);
    if (pid < 0)
        problem = errno;
    close(report[1]);
    while (pid > 0 && read(report[0], &problem, sizeof problem) < 0 && errno == EINTR)
        continue;
    close(report[0]);
    if (problem == 0)
        before->pid = pid;
    else if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return problem;
}

static void log_line(struct host *host)
{
    struct before_start *before = &host->before_start;
    struct buffer *line = &before->line;

    if (line->length > 0 && before->logged < LOGGED_MAX)
        log_note("%s: %.*s", program(host, before->next - 1), (int)line->length, line->bytes);
    before->logged += line->length;
    line->length = 0;
}

static void take_output(struct host *host, const char *bytes, size_t length)
{
    struct buffer *line = &host->before_start.line;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            log_line(host);
        else if (line->length < LINE_MAX_BYTES)
            buffer_append_char(line, bytes[i]);
    }
}

/* Everything that is there. */
static void read_output(struct host *host)
{
    struct before_start *before = &host->before_start;
    char bytes[4096];

    for (int i = 0; i < 64 && before->output >= 0; i++) {
        ssize_t got = read(before->output, bytes, sizeof bytes);
        if (got > 0)
            take_output(host, bytes, (size_t)got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            (void)event_del(before->says);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
    }
}

static void output_came(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    read_output(argument);
}

/* Takes the command's exit status, killing its group first when `kills`: until it is reaped no other group has its number. */
static int reap(struct host *host, bool kills)
{
    struct before_start *before = &host->before_start;
    int status = 0;

    if (kills)
        (void)kill(-before->pid, SIGKILL);
    while (waitpid(before->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    before->pid = 0;
    read_output(host);
    log_line(host);
    event_del(before->timer);
    event_free(before->ended);
    event_free(before->says);
    before->ended = before->says = NULL;
    close(before->process);
    close(before->output);
    before->process = before->output = -1;
    return status;
}

/* ---- one after the other ---- */

static void failed(struct host *host, const char *how, int number, const char *unit)
{
    host_warn(host, "before_start", "%s, to be run before the start, %s %d%s; what it printed is in host.log",
              program(host, host->before_start.next - 1), how, number, unit);
}

static void done(struct host *host)
{
    struct before_start *before = &host->before_start;

    before->runs = false;
    forget_environment(before);
    session_set(host, "before_start", json_null());
    session_changed(host, true);
    starting_begin(host, before->attempt);
}

static void run_next(struct host *host);

static void command_ended(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    int status = reap(host, false);

    (void)descriptor;
    (void)what;
    if (WIFSIGNALED(status))
        failed(host, "was ended by signal", WTERMSIG(status), "");
    else if (WEXITSTATUS(status) != 0)
        failed(host, "exited with status", WEXITSTATUS(status), "");
    run_next(host);
}

static double seconds_allowed(const struct host *host)
{
    return config_number(host->config, "timeouts.before_start_s");
}

static void time_over(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;

    (void)descriptor;
    (void)what;
    (void)reap(host, true);
    failed(host, "was ended after", (int)seconds_allowed(host), " s");
    run_next(host);
}

/* Returns 0 or an errno value. */
static int begin(struct host *host, const json_t *command)
{
    struct before_start *before = &host->before_start;
    int ends[2], problem;
    char **words;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    words = words_of(command);
    problem = spawn_child(host, words, ends[1]);
    close(ends[1]);
    for (char **word = words; *word != NULL; word++)
        free(*word);
    free(words);
    before->process = problem == 0 ? pidfd_open(before->pid, 0) : -1;
    if (problem == 0 && before->process < 0) {
        problem = errno;
        (void)kill(-before->pid, SIGKILL);
        (void)waitpid(before->pid, NULL, 0);
        before->pid = 0;
    }
    if (problem != 0) {
        close(ends[0]);
        return problem;
    }
    before->output = ends[0];
    (void)fcntl(before->output, F_SETFL, O_NONBLOCK);
    before->ended = event_new(host->loop, before->process, EV_READ, command_ended, host);
    before->says = event_new(host->loop, before->output, EV_READ | EV_PERSIST, output_came, host);
    event_add(before->ended, NULL);
    event_add(before->says, NULL);
    host_timer(before->timer, (int64_t)(seconds_allowed(host) * 1e9));
    return 0;
}

static void tell(struct host *host, const char *name)
{
    const struct before_start *before = &host->before_start;

    log_note("before the start: %s", name);
    session_set(host, "before_start",
                json_pack("{so si si}", "program", json_string_or_null(name), "number", (int)before->next,
                          "of", (int)json_array_size(commands(host))));
    session_changed(host, true);
}

static void run_next(struct host *host)
{
    struct before_start *before = &host->before_start;
    const json_t *command;

    while ((command = json_array_get(commands(host), before->next)) != NULL) {
        int problem;
        tell(host, program(host, before->next++));
        before->line.length = before->logged = 0;
        problem = begin(host, command);
        if (problem == 0)
            return;
        host_warn(host, "before_start", "%s, to be run before the start: %s", program(host, before->next - 1),
                  strerror(problem));
    }
    done(host);
}

/* ---- all ---- */

/* Clients see that the session begins: of an attempt before this one nothing counts any more. */
static void show(struct host *host)
{
    session_set(host, "attempt", json_integer(host->before_start.attempt));
    session_set(host, "exit", json_null());
    session_set_error(host, NULL, NULL, NULL, NULL);
    activity_begin(host);
    session_changed(host, true);
    clients_admit(host);
}

bool before_start_runs(struct host *host, uint32_t attempt)
{
    struct before_start *before = &host->before_start;
    struct error error;

    if (before->attempt == attempt || json_array_size(commands(host)) == 0)
        return false;
    before->attempt = attempt;
    if (make_environment(host, &error) < 0)
        return false; /* the start itself says why */
    before->runs = true;
    before->next = 0;
    show(host);
    run_next(host);
    return true;
}

bool before_start_stop(struct host *host)
{
    struct before_start *before = &host->before_start;

    if (!before->runs)
        return false;
    before->runs = false;
    if (before->pid != 0)
        (void)reap(host, true);
    forget_environment(before);
    session_set(host, "before_start", json_null());
    return true;
}

void before_start_init(struct host *host)
{
    struct before_start *before = &host->before_start;

    *before = (struct before_start){.process = -1, .output = -1};
    buffer_init(&before->line);
    before->timer = evtimer_new(host->loop, time_over, host);
}

void before_start_finish(struct host *host)
{
    (void)before_start_stop(host);
    buffer_finish(&host->before_start.line);
    event_free(host->before_start.timer);
}
