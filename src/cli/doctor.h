/*
 * What `ganger doctor` finds and mends, and the checks that do it. A check notes one or more lines. It changes nothing unless
 * it is asked to mend, but that a damaged ledger is set aside when it is opened, as by every command. Mending asks nothing and
 * never touches a session that runs or starts.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_BAD };

struct doctor {
    json_t *checks; /* [{check, status, message, fix, mended}] */
    enum health worst;
    bool mend;
};

/* Notes a line. `fix`: the command that mends it, or NULL. */
void doctor_note(struct doctor *doctor, const char *check, enum health health, const char *fix,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Notes a fault that --mend mends. It was mended when `did` says what was done; that is no fault any more. Else `why` says
 * why it could not be, or is NULL: nobody asked for it.
 */
void doctor_fault(struct doctor *doctor, const char *check, enum health health, const char *did,
                  const struct error *why, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* ---- doctor_places.c ---- */

void doctor_check_installation(struct doctor *doctor);
void doctor_check_folders(struct doctor *doctor);
/* The configuration, for the caller to destroy; NULL when there is no valid one. */
struct config *doctor_check_config(struct doctor *doctor);
void doctor_check_ledger(struct doctor *doctor);

/* ---- doctor_programs.c ---- */

/* The agents' programs, and the terminal. Runs them beside each other, 5 s at most. */
void doctor_check_programs(struct doctor *doctor);

/* ---- doctor_processes.c ---- */

/* Hosts without a keeper, older hosts, and what sessions that are gone left running. */
void doctor_check_processes(struct doctor *doctor, const char *state_dir);
/* Sockets that nobody serves. */
void doctor_check_sockets(struct doctor *doctor, const char *state_dir, const char *runtime_dir);

/* ---- doctor_sessions.c ---- */

/* The sessions' folders, and the names that lead to them. */
void doctor_check_sessions(struct doctor *doctor, const char *state_dir);
/* What the limits let go. `config` NULL: it is not valid, and nothing is removed. */
void doctor_check_retention(struct doctor *doctor, const char *state_dir, const struct config *config);

/* ---- doctor_machine.c ---- */

/* Whether the machine ends what goes on after a log-out. */
void doctor_check_machine(struct doctor *doctor);

#endif
