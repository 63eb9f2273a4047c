/*
 * simulate-limits [--sessions 200] [--accounts 3] [--days 7] [--prompts 20] [--processes 8] [--cap 4] [--seed 1]
 *                 [--clock-steps 8] [--sleeps 4]
 * Prints figures as JSON; exits with 1 when something was not as it must be, which is told on standard error.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "tests/simulation/world.h"

#define LATE_MS (8 * DAY_MS) /* by which all is done after the last prompt */

static const struct option long_options[] = {
    {"sessions", required_argument, NULL, 's'},  {"accounts", required_argument, NULL, 'a'},
    {"days", required_argument, NULL, 'd'},      {"prompts", required_argument, NULL, 'p'},
    {"processes", required_argument, NULL, 'w'}, {"cap", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, 'r'},      {"clock-steps", required_argument, NULL, 'k'},
    {"sleeps", required_argument, NULL, 'z'},    {NULL, 0, NULL, 0}};

static int number(const char *text, int least, int most)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < least || value > most) {
        (void)fprintf(stderr, "expected a number from %d to %d, not %s\n", least, most, text);
        exit(2);
    }
    return (int)value;
}

static void read_option(struct options *options, int option)
{
    if (option == 's')
        options->sessions = number(optarg, 1, SESSIONS_MAX);
    else if (option == 'a')
        options->accounts = number(optarg, 1, ACCOUNTS_MAX);
    else if (option == 'd')
        options->days = number(optarg, 1, 60);
    else if (option == 'p')
        options->prompts = number(optarg, 1, PROMPTS_MAX);
    else if (option == 'w')
        options->workers = number(optarg, 1, WORKERS_MAX);
    else if (option == 'c')
        options->cap = (unsigned)number(optarg, 0, 1000);
    else if (option == 'r')
        options->seed = (uint64_t)number(optarg, 0, 1000000);
    else if (option == 'k')
        options->steps_of_clock = number(optarg, 0, 50);
    else if (option == 'z')
        options->suspends = number(optarg, 0, STEPS_MAX / 2);
    else
        exit(2);
}

static struct options read_options(int count, char **arguments)
{
    struct options options = {.sessions = 200,
                              .accounts = 3,
                              .prompts = 20,
                              .workers = 8,
                              .steps_of_clock = 8,
                              .suspends = 4,
                              .cap = 4,
                              .days = 7,
                              .seed = 1,
                              .window_tokens = 12000000,
                              .week_tokens = 220000000,
                              .die = 0.003};
    int option;

    while ((option = getopt_long(count, arguments, "", long_options, NULL)) != -1)
        read_option(&options, option);
    return options;
}

/* The numbers of a configuration that says nothing. */
static struct retry_rules default_rules(const char *folder)
{
    char *path = path_join(folder, "config.json");
    FILE *file = fopen(path, "we");
    struct retry_rules rules;
    struct config *config;

    if (file == NULL || fputs("{}", file) < 0 || fclose(file) != 0)
        abort();
    config = config_load(path, NULL);
    if (config == NULL)
        abort();
    retry_rules_load(&rules, config);
    config_destroy(config);
    free(path);
    return rules;
}

static void make_ledger(const char *folder)
{
    struct error error = {.code = 0};
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);

    if (ledger == NULL) {
        (void)fprintf(stderr, "%s\n", error.text);
        exit(3);
    }
    ledger_notify(ledger);
    ledger_close(ledger);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void simulate(void)
{
    int64_t end_ms = world->begin_ms + world->options.days * DAY_MS + LATE_MS;
    bool changed = false;

    while (checks_unfinished() > 0 && world->now_ms < end_ms) {
        bool disturbed = disturbances_run();
        int64_t next_ms;

        checks_watch();
        next_ms = workers_tick(changed || disturbed);
        changed = workers_notified();
        if (changed)
            next_ms = world->now_ms + TICK_MS;
        if (next_ms == NEVER)
            break;
        /* A sleep leaves the next behind. */
        next_ms = earlier(next_ms, disturbances_next());
        world->now_ms = next_ms > world->now_ms ? next_ms : world->now_ms;
    }
}

int main(int count, char **arguments)
{
    struct options options = read_options(count, arguments);
    char folder[] = "/tmp/ganger-simulation-XXXXXX";
    struct retry_rules rules;
    int failures;

    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 3;
    }
    options.state_dir = folder;
    rules = default_rules(folder);
    make_ledger(folder);
    world_create(&options, &rules);
    disturbances_init();
    workers_start();
    simulate();
    if (!workers_finish()) {
        (void)fprintf(stderr, "a worker failed\n");
        return 3;
    }
    failures = checks_report();
    (void)path_remove_tree(folder, NULL);
    return failures > 0;
}
