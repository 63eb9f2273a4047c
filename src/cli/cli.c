#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static const struct command *const commands[] = {
    &command_run,    &command_up,     &command_init,     &command_attach,  &command_demo,   &command_ls,
    &command_show,   &command_why,    &command_accounts, &command_limits,  &command_wait,   &command_events,
    &command_logs,   &command_search, &command_snapshot, &command_usage,   &command_replay, &command_send,
    &command_queue,  &command_keys,   &command_paste,    &command_approve, &command_deny,   &command_cancel,
    &command_retry,  &command_resume, &command_upgrade,  &command_down,    &command_kill,   &command_rm,
    &command_config, &command_doctor, &command_proxy,    &command_rpc,     &command_hook,
};
static cli_dashboard open_dashboard;

const struct command *const *cli_commands(size_t *count)
{
    *count = sizeof commands / sizeof commands[0];
    return commands;
}

int cli_open_dashboard(const char *session, bool read_only, bool raw)
{
    (void)session_lost_settle_all(cli_state_dir());
    return open_dashboard(session, read_only, raw);
}

static void print_overview(void)
{
    const char *group = "";

    (void)fputs("ganger runs a crew of coding agents, each in a pane of one terminal.\n\n"
                "  ganger                     open the dashboard\n"
                "  ganger COMMAND --help      what a command does\n",
                stdout);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(group, commands[i]->group) != 0) {
            group = commands[i]->group;
            (void)printf("\n%s\n", group);
        }
        (void)printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
}

/* Edit distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b);

    if (length >= sizeof row / sizeof row[0])
        return length;
    for (size_t k = 0; k <= length; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= length; k++) {
            size_t above = row[k], best = diagonal + (a[i - 1] != b[k - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            diagonal = above;
            row[k] = best;
        }
    }
    return row[length];
}

static int unknown_command(const char *name)
{
    const char *nearest = NULL;
    size_t least = 3;

    if (name[0] == '-') {
        (void)fprintf(stderr, "ganger: %s: no such option; `ganger --help` says what there is\n", name);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t away = distance(name, commands[i]->name);
        if (away < least) {
            least = away;
            nearest = commands[i]->name;
        }
    }
    if (nearest != NULL)
        (void)fprintf(stderr, "ganger: %s: no such command; did you mean `ganger %s`?\n", name, nearest);
    else
        (void)fprintf(stderr, "ganger: %s: no such command; `ganger --help` lists them\n", name);
    return EXIT_USAGE;
}

bool cli_output_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

/* What was printed must have been written: a script would take half of it for the whole. Who closed a pipe knows. */
static int finish_output(const char *command, int code)
{
    bool broken = ferror(stdout) != 0;

    errno = 0;
    if (fflush(stdout) == 0 && !broken)
        return code;
    if (errno == EPIPE || (errno == 0 && cli_output_gone()))
        return code == EXIT_OK ? EXIT_FAILED : code;
    return cli_errorf(command, "cannot write to standard output%s%s", errno != 0 ? ": " : "",
                      errno != 0 ? strerror(errno) : "");
}

int cli_main(int argc, char **argv, cli_dashboard dashboard)
{
    open_dashboard = dashboard;
    if (argc < 2)
        return dashboard(NULL, false, false);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview();
        return finish_output("help", EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("ganger %s\n", GANGER_VERSION);
        return finish_output("version", EXIT_OK);
    }
    /* What follows may be any option of run. */
    if (strcmp(argv[1], "--record") == 0 || strncmp(argv[1], "--record=", 9) == 0)
        return command_run.run(argc, argv);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0)
            return finish_output(argv[1], commands[i]->run(argc - 1, argv + 1));
    }
    return unknown_command(argv[1]);
}

int cli_option(const struct command *command, int argc, char **argv, const char *shorts,
               const struct option *longs)
{
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, shorts, longs, NULL);
    if (option == 'h') {
        (void)fputs(command->help, stdout);
        exit(finish_output(command->name, EXIT_OK));
    }
    if (option == ':')
        cli_usage_error(command, "%s needs a value", argv[optind - 1]);
    if (option == '?' && optopt != 0 && strncmp(argv[optind - 1], "--", 2) == 0 &&
        strchr(argv[optind - 1], '=') != NULL)
        cli_usage_error(command, "%s: this option takes no value", argv[optind - 1]);
    if (option == '?' && optopt != 0)
        cli_usage_error(command, "unknown option -%c", optopt);
    if (option == '?')
        cli_usage_error(command, "unknown option %s", argv[optind - 1]);
    return option;
}

/* In the usage line, the operand that comes after `count` others; NULL when it has none: options, their values and what may be left
 * out stand in brackets. */
static const char *usage_operand(const struct command *command, int count)
{
    const char *end = strchr(command->help, '\n'), *at = strstr(command->help, command->name);

    for (at = at == NULL ? end : at + strlen(command->name); at < end;) {
        at += strspn(at, " ");
        if (*at == '[')
            at += strcspn(at, "]\n") + 1;
        else if (*at < 'A' || *at > 'Z')
            return NULL;
        else if (count-- == 0)
            return at;
        else
            at += strcspn(at, " \n");
    }
    return NULL;
}

/* What is missing after `count` operands; ends the process. */
static _Noreturn void refuse_few(const struct command *command, int count)
{
    const char *operand = usage_operand(command, count), *instead;
    int length = operand == NULL ? 0 : (int)strspn(operand, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    if (operand == NULL)
        cli_usage_error(command, "a word is missing");
    if (length != 7 || strncmp(operand, "SESSION", 7) != 0)
        cli_usage_error(command, "%.*s is missing", length, operand);
    instead = operand + strcspn(operand, " \n");
    if (strncmp(instead, " | --", 5) != 0)
        cli_usage_error(command, "name a session");
    instead += 3;
    cli_usage_error(command, "name a session, or give %.*s", (int)strcspn(instead, " \n"), instead);
}

void cli_operands(const struct command *command, int argc, int least, int most)
{
    int count = argc - optind;

    if (count < least)
        refuse_few(command, count);
    if (most >= 0 && count > most)
        cli_usage_error(command, "too many words");
}

void cli_usage_error(const struct command *command, const char *format, ...)
{
    va_list args;
    const char *line_end = strchr(command->help, '\n');

    (void)fprintf(stderr, "ganger: %s: ", command->name);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n%.*s\n`ganger %s --help` says more\n", (int)(line_end - command->help),
                  command->help, command->name);
    exit(EXIT_USAGE);
}

double cli_seconds(const struct command *command, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 1e7))
        cli_usage_error(command, "%s is not a number of seconds", text);
    return seconds;
}

bool cli_parse_age(const char *text, double *seconds)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    double number = strtod(text, &end);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (*text >= '0' && *text <= '9' && end[0] == units[i].unit && end[1] == '\0' && number >= 0 &&
            number * units[i].seconds <= 1e10) {
            *seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

uint64_t cli_number(const struct command *command, const char *text)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number > 1ULL << 53)
        cli_usage_error(command, "%s is not a whole number", text);
    return number;
}

int cli_error(const char *what, const struct error *error)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "ganger: %s: %s\n", what, error->text);
    return EXIT_FAILED;
}

int cli_errorf(const char *what, const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    (void)fprintf(stderr, "ganger: %s: ", what);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return EXIT_FAILED;
}

void cli_die(const char *what, const struct error *error)
{
    exit(cli_error(what, error));
}
