#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"

static int run(int argc, char **argv);

const struct command command_doctor = {
    "doctor", "Plumbing", "whether everything ganger needs is in order",
    "usage: ganger doctor [--json]\n"
    "\n"
    "Looks at the installation, folders, configuration, ledger, agents, terminal and sessions, and prints a "
    "line for\n"
    "each: ok, warn or bad, and for what is wrong the command that mends it. Exit code 1 when something is "
    "bad.\n"
    "\n"
    "  --json   an object: version, ok, checks [{check, status, message, fix}]\n"
    "\n"
    "example: ganger doctor\n",
    run};

static const char *const words[] = {[HEALTH_OK] = "ok", [HEALTH_WARN] = "warn", [HEALTH_BAD] = "bad"};

void doctor_note(struct doctor *doctor, const char *check, enum health health, const char *fix,
                 const char *format, ...)
{
    char message[1024];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(message, sizeof message, format, values);
    va_end(values);
    json_array_append_new(doctor->checks,
                          json_pack("{ss ss so so}", "check", check, "status", words[health], "message",
                                    json_string_or_null(message), "fix", json_string_or_null(fix)));
    if (health > doctor->worst)
        doctor->worst = health;
}

static void print_line(const json_t *check)
{
    const char *message = json_member_string(check, "message", ""),
               *fix = json_member_string(check, "fix", "");
    char *line = *fix == '\0' ? xstrdup(message) : xasprintf("%s; try: %s", message, fix);
    char *clean = cli_clean(line, strlen(line));

    (void)printf("%-4s  %-14s  %s\n", json_member_string(check, "status", ""),
                 json_member_string(check, "check", ""), clean);
    free(clean);
    free(line);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    struct doctor doctor = {json_array(), HEALTH_OK};
    bool json = false;
    size_t index;
    json_t *check;
    int option;

    while ((option = cli_option(&command_doctor, argc, argv, ":h", options)) != -1)
        json = json || option == 'j';
    cli_operands(&command_doctor, argc, 0, 0);
    doctor_check_installation(&doctor);
    doctor_check_folders(&doctor);
    doctor_check_config(&doctor);
    doctor_check_ledger(&doctor);
    doctor_check_programs(&doctor);
    doctor_check_sessions(&doctor);
    if (json) {
        check = json_pack("{ss sb sO}", "version", GANGER_VERSION, "ok", doctor.worst != HEALTH_BAD, "checks",
                          doctor.checks);
        cli_print_json(check);
        json_decref(check);
    } else {
        json_array_foreach(doctor.checks, index, check)
        {
            print_line(check);
        }
    }
    json_decref(doctor.checks);
    return doctor.worst == HEALTH_BAD ? EXIT_FAILED : EXIT_OK;
}
