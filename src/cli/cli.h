/*
 * What the subcommands share: the table of them, their options, errors, and the way to a session.
 *
 * A command is a `const struct command` in a file of its own. Its exit code is 0 on success, 1 on failure, 2 on bad
 * usage. Functions named cli_… that meet an error they are not given room for print it and end the process.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"
#include "rpc/client.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TIMED_OUT = 124 };

struct command {
    const char *name;
    const char *group;   /* heading in `ganger --help` */
    const char *summary; /* one line */
    const char *help;    /* the whole text of --help, ending with a line feed */
    int (*run)(int argc, char **argv);
};

/* Opens the dashboard, on a session (a UUID) when `session` is not NULL; returns the exit code. */
typedef int (*cli_dashboard)(const char *session, bool read_only, bool raw);

/* Runs the command line. */
int cli_main(int argc, char **argv, cli_dashboard dashboard);
int cli_open_dashboard(const char *session, bool read_only, bool raw);
const struct command *const *cli_commands(size_t *count);

/* ---- options ---- */

#define CLI_HELP_OPTION                                                                                      \
    {                                                                                                        \
        "help", no_argument, NULL, 'h'                                                                       \
    }
/* The next option as getopt_long gives it, -1 at the end. --help prints the help and ends the process; an unknown option or a
 * missing value is reported and ends it with 2. `shorts` begins with ':' (or "+:"). */
int cli_option(const struct command *command, int argc, char **argv, const char *shorts,
               const struct option *longs);
/* Ends the process with 2 unless at least `least` and at most `most` (-1: any) operands are left. */
void cli_operands(const struct command *command, int argc, int least, int most);
/* "ganger: COMMAND: message", and where to read on; ends the process with 2. */
_Noreturn void cli_usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Seconds as a decimal within [0, 10^7], else a usage error. */
double cli_seconds(const struct command *command, const char *text);
/* How long something is, with its unit: "90s", "30m", "12h", "7d", "2w", 10^10 seconds at most. False when it is not that. */
bool cli_parse_age(const char *text, double *seconds);
/* A whole number within [0, 2^53], else a usage error. */
uint64_t cli_number(const struct command *command, const char *text);

/* ---- errors ---- */

/* "ganger: WHAT: message" on stderr; returns EXIT_FAILED. */
int cli_error(const char *what, const struct error *error);
int cli_errorf(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void cli_die(const char *what, const struct error *error);

/* ---- sessions ---- */

const char *cli_state_dir(void);
const char *cli_runtime_dir(void);
/* The UUID that a name, prefix (when `prefixes`) or UUID means; ends the process with 1 (none) or 2 (several).
 * What a lost session left behind is ended. */
void cli_find(const char *reference, bool prefixes, char uuid[UUID_SIZE]);
/* A session's object as the host gives it, or session.json's when there is no host. `timeout_ms` bounds the asking. */
json_t *cli_session(const char *uuid, int timeout_ms, struct error *error);
/* Connects to a session's host, waiting a little for one that restarts. NULL when the session has none. */
struct client *cli_connect(const char *uuid, struct error *error);
/* Connects, calls, disconnects. The caller owns the result; NULL and the error. */
json_t *cli_call(const char *uuid, const char *method, json_t *params, struct error *error);
#define CLI_CALL_TIMEOUT_MS 10000
/* Calls a method that ends the session and waits until it has ended, at most 30 s; an ended one is left as it is, what a lost
 * one left is ended, and one that is being started is waited for. `params` is stolen. Returns 0 or -1. */
int cli_end(const char *uuid, const char *method, json_t *params, struct error *error);
/* Makes the host of an ended session leave, and waits until the session's lock is free. Returns 0 or -1. */
int cli_leave(const char *uuid, struct error *error);

/* ---- output ---- */

/* Whether nobody reads standard output any more: who closed that pipe needs no message. */
bool cli_output_gone(void);
/* The value, indented, and a line feed, on stdout. */
void cli_print_json(const json_t *value);
/* Text of any origin fit for one line of a terminal: control characters, what is no UTF-8, and what turns the direction of
 * writing are shown as '?', tabs as blanks. Allocated. */
char *cli_clean(const char *text, size_t length);
/* Whether standard output takes colours: a terminal that has them, and no NO_COLOR. */
bool cli_has_colour(void);
/* Columns of a terminal that the first `length` bytes, cleaned, take. */
int cli_columns(const char *text, size_t length);
/* "2h07m (16:05)" behind `mark`: how long until then, and when that is, with the day when it is not within one; "unknown" for 0.
 * Allocated. */
char *cli_when(int64_t at_ms, int64_t now_ms, const char *mark);
/* Rows of a table with aligned columns, two spaces apart; the last column is not padded, and is cut at the terminal's
 * width when stdout is one. Cells are cleaned copies. */
struct table;
struct table *table_create(size_t columns, const char *const headings[]);
void table_add(struct table *table, const char *const cells[]);
/* Prints and frees. */
void table_print(struct table *table);

/* Text for a prompt or a paste: the operand, or stdin when it is "-". Allocated; ends the process when it is above `limit`. */
char *cli_text(const struct command *command, const char *operand, size_t limit, size_t *length);
/* Refuses bytes that a prompt may not hold; fills the error. */
int cli_check_prompt(const char *text, size_t length, struct error *error);

extern const struct command command_run, command_ls, command_show, command_send, command_keys, command_paste,
    command_cancel, command_retry, command_kill, command_rm, command_wait, command_events, command_logs,
    command_search, command_snapshot, command_attach, command_proxy, command_config, command_rpc,
    command_demo, command_hook, command_replay, command_approve, command_deny, command_why, command_accounts,
    command_limits, command_queue, command_usage, command_doctor, command_up, command_down, command_init,
    command_upgrade, command_resume;

#endif
