#include "host/login_check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/host.h"
#include "runner/account.h"
#include "runner/command.h"

#define STACK_BYTES (256 * 1024)
#define TIMEOUT_MS 15000
#define OUTPUT_MAX 4096
#define AGAIN_MS 1000 /* after which the turn goes on with a login that is good */
#define WORDS_MAX 32

struct login_check {
    struct host *host;
    pthread_t thread;
    int notice;
    struct event *news;
    /* Read by the thread alone until it tells. */
    const struct config *config;
    const char *agent, *account;
    const json_t *command, *status;
    const char *program;
    bool good;
};

bool login_check_runs(const struct host *host)
{
    return host->login_check != NULL;
}

static size_t add_words(const char **argv, size_t count, const json_t *words)
{
    size_t index;
    json_t *word;

    json_array_foreach(words, index, word)
    {
        if (count + 1 < WORDS_MAX && json_is_string(word))
            argv[count++] = json_string_value(word);
    }
    return count;
}

/* The CLI's exit code says it. */
static bool ask(const struct login_check *check)
{
    struct account_environment environment;
    const char *argv[WORDS_MAX] = {check->program};
    size_t count = check->command != NULL ? add_words(argv, 0, check->command) : 1;
    struct command_run run = {.argv = argv, .limit = OUTPUT_MAX};
    char **variables = NULL;
    struct error error;
    bool good = false;

    (void)add_words(argv, count, check->status);
    if (check->status != NULL && argv[0] != NULL &&
        account_environment_init(&environment, check->config, check->agent, check->account, &error) == 0) {
        variables = account_environ(&environment);
        run.env = (const char *const *)variables;
        command_run_all(&run, 1, TIMEOUT_MS);
        good = run.problem == 0 && run.exit == 0;
        command_run_finish(&run);
        account_environ_free(variables);
        account_environment_finish(&environment);
    }
    return good;
}

static void *run(void *argument)
{
    struct login_check *check = argument;
    const uint64_t one = 1;

    check->good = ask(check);
    if (write(check->notice, &one, sizeof one) < 0)
        log_error("the loop cannot be told of the login");
    return NULL;
}

static void forget(struct host *host)
{
    struct login_check *check = host->login_check;

    host->login_check = NULL;
    event_free(check->news);
    (void)pthread_join(check->thread, NULL);
    close(check->notice);
    free(check);
}

static void answered(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    bool good = host->login_check->good;

    (void)descriptor;
    (void)what;
    forget(host);
    retrying_login(host, good, clock_realtime_ms() + AGAIN_MS);
}

void login_check(struct host *host)
{
    struct login_check *check;
    pthread_attr_t attributes;
    sigset_t all, old;
    int result;

    if (host->login_check != NULL)
        return;
    check = xcalloc(1, sizeof *check);
    *check = (struct login_check){
        .host = host,
        .notice = eventfd(0, EFD_CLOEXEC),
        .config = host->config,
        .agent = host->driver->name,
        .account = json_member_string(host->session.object, "account", NULL),
        .command = json_object_get(config_agent(host->config, host->driver->name), "command"),
        .status = json_object_get(host->agent->login, "status"),
        .program = host->agent->program};
    host->login_check = check;
    check->news = event_new(host->loop, check->notice, EV_READ, answered, host);
    event_add(check->news, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    result = pthread_create(&check->thread, &attributes, run, check);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    if (result == 0)
        return;
    host->login_check = NULL;
    event_free(check->news);
    close(check->notice);
    free(check);
    retrying_login(host, false, 0);
}

void login_check_finish(struct host *host)
{
    if (host->login_check != NULL)
        forget(host);
}
