/*
 * What `ganger doctor` finds, and the checks that find it. A check notes one or more lines; it changes nothing but that a damaged
 * ledger is set aside when it is opened, as by every command.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <jansson.h>

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_BAD };

struct doctor {
    json_t *checks; /* [{check, status, message, fix}] */
    enum health worst;
};

/* Notes a line. `fix`: the command that mends it, or NULL. */
void doctor_note(struct doctor *doctor, const char *check, enum health health, const char *fix,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* ---- doctor_places.c ---- */

void doctor_check_installation(struct doctor *doctor);
void doctor_check_folders(struct doctor *doctor);
void doctor_check_config(struct doctor *doctor);
void doctor_check_ledger(struct doctor *doctor);
void doctor_check_sessions(struct doctor *doctor);

/* ---- doctor_programs.c ---- */

/* The agents' programs, and the terminal. Runs them beside each other, 5 s at most. */
void doctor_check_programs(struct doctor *doctor);

#endif
