#include "cli/doctor.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"

/* Lines of one check that are printed; --json has all. */
#define LINES_MAX 20

static int run(int argc, char **argv);

const struct command command_doctor = {
    "doctor", "Plumbing", "whether everything ganger needs is in order",
    "usage: ganger doctor [--mend] [--json]\n"
    "\n"
    "Looks at the installation, folders, configuration, ledger, agents, terminal, processes and sessions, "
    "and "
    "prints a line for\n"
    "each: ok, warn or bad, and for what is wrong the command that mends it. Exit code 1 when something is "
    "bad.\n"
    "\n"
    "  --mend   mend what can be: processes and sockets of sessions that are gone, torn and temporary files, "
    "damaged session\n"
    "           folders, names that lead nowhere, open permissions, sessions beyond the limits; a line "
    "\"did\" "
    "says each.\n"
    "           No running session is touched\n"
    "  --json   an object: version, ok, mended (how many), checks [{check, status, message, fix, mended}]\n"
    "\n"
    "example: ganger doctor --mend\n",
    run};

static const char *const words[] = {[HEALTH_OK] = "ok", [HEALTH_WARN] = "warn", [HEALTH_BAD] = "bad"};

static void add(struct doctor *doctor, const char *check, enum health health, const char *fix,
                const char *message, bool mended)
{
    json_array_append_new(doctor->checks, json_pack("{ss ss so so sb}", "check", check, "status",
                                                    words[health], "message", json_string_or_null(message),
                                                    "fix", json_string_or_null(fix), "mended", mended));
    if (health > doctor->worst)
        doctor->worst = health;
}

void doctor_note(struct doctor *doctor, const char *check, enum health health, const char *fix,
                 const char *format, ...)
{
    char message[1024];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(message, sizeof message, format, values);
    va_end(values);
    add(doctor, check, health, fix, message, false);
}

void doctor_fault(struct doctor *doctor, const char *check, enum health health, const char *did,
                  const struct error *why, const char *format, ...)
{
    char fault[1024], *message;
    va_list values;

    va_start(values, format);
    (void)vsnprintf(fault, sizeof fault, format, values);
    va_end(values);
    if (did != NULL) {
        message = xasprintf("%s: %s", fault, did);
        add(doctor, check, HEALTH_OK, NULL, message, true);
    } else if (why != NULL) {
        message = xasprintf("%s; it could not be mended: %s", fault, why->text);
        add(doctor, check, HEALTH_BAD, NULL, message, false);
    } else {
        message = xstrdup(fault);
        add(doctor, check, health, "ganger doctor --mend", message, false);
    }
    free(message);
}

/* ---- what is said ---- */

static void print_line(const json_t *check)
{
    const char *message = json_member_string(check, "message", ""),
               *fix = json_member_string(check, "fix", "");
    char *line = *fix == '\0' ? xstrdup(message) : xasprintf("%s; try: %s", message, fix);
    char *clean = cli_clean(line, strlen(line));
    bool mended = json_member_bool(check, "mended", 0) != 0;

    (void)printf("%-4s  %-14s  %s\n", mended ? "did" : json_member_string(check, "status", ""),
                 json_member_string(check, "check", ""), clean);
    free(clean);
    free(line);
}

static void print_lines(const json_t *checks)
{
    const char *before = "";
    size_t index, lines = 0, left_out = 0;
    json_t *check;

    json_array_foreach(checks, index, check)
    {
        const char *name = json_member_string(check, "check", "");
        if (strcmp(name, before) != 0) {
            if (left_out > 0)
                (void)printf("      %-14s  and %zu more: ganger doctor --json\n", before, left_out);
            lines = left_out = 0;
        }
        before = name;
        if (lines++ < LINES_MAX)
            print_line(check);
        else
            left_out++;
    }
    if (left_out > 0)
        (void)printf("      %-14s  and %zu more: ganger doctor --json\n", before, left_out);
}

static void print_object(const struct doctor *doctor)
{
    size_t index, mended = 0;
    json_t *check, *told;

    json_array_foreach(doctor->checks, index, check)
    {
        mended += json_member_bool(check, "mended", 0) != 0;
    }
    told = json_pack("{ss sb sI sO}", "version", GANGER_VERSION, "ok", doctor->worst != HEALTH_BAD, "mended",
                     (json_int_t)mended, "checks", doctor->checks);
    cli_print_json(told);
    json_decref(told);
}

/* ---- all checks ---- */

static void *check_programs(void *argument)
{
    doctor_check_programs(argument);
    return NULL;
}

/* What sessions left running goes first, and what nobody answers for then. */
static void check_state(struct doctor *doctor, const struct config *config)
{
    char *state_dir = path_state_dir(NULL), *runtime_dir = path_runtime_dir(NULL);

    if (state_dir != NULL) {
        doctor_check_processes(doctor, state_dir);
        doctor_check_sessions(doctor, state_dir);
    }
    if (state_dir != NULL && runtime_dir != NULL)
        doctor_check_sockets(doctor, state_dir, runtime_dir);
    if (state_dir != NULL)
        doctor_check_retention(doctor, state_dir, config);
    free(state_dir);
    free(runtime_dir);
}

/* The agents' programs take longest: they run beside the rest. */
static void check_all(struct doctor *doctor)
{
    struct doctor programs = {.checks = json_array()}, rest = {.checks = json_array(), .mend = doctor->mend};
    struct config *config;
    pthread_t thread;
    bool apart;

    doctor_check_installation(doctor);
    doctor_check_folders(doctor);
    config = doctor_check_config(doctor);
    apart = pthread_create(&thread, NULL, check_programs, &programs) == 0;
    doctor_check_ledger(doctor);
    check_state(&rest, config);
    doctor_check_machine(&rest);
    if (apart)
        (void)pthread_join(thread, NULL);
    else
        doctor_check_programs(&programs);
    json_array_extend(doctor->checks, programs.checks);
    json_array_extend(doctor->checks, rest.checks);
    doctor->worst = programs.worst > doctor->worst ? programs.worst : doctor->worst;
    doctor->worst = rest.worst > doctor->worst ? rest.worst : doctor->worst;
    json_decref(programs.checks);
    json_decref(rest.checks);
    config_destroy(config);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"mend", no_argument, NULL, 'm'}, CLI_HELP_OPTION, {0}};
    struct doctor doctor = {.checks = json_array()};
    bool json = false;

    for (int option; (option = cli_option(&command_doctor, argc, argv, ":h", options)) != -1;) {
        json = json || option == 'j';
        doctor.mend = doctor.mend || option == 'm';
    }
    cli_operands(&command_doctor, argc, 0, 0);
    check_all(&doctor);
    if (json)
        print_object(&doctor);
    else
        print_lines(doctor.checks);
    json_decref(doctor.checks);
    return doctor.worst == HEALTH_BAD ? EXIT_FAILED : EXIT_OK;
}
