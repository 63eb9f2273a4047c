/*
 * OSC 7501 "Program Status" reports: the records a program keeps of itself and its children, by slash path.
 * Untrusted: bounded and checked as the draft says (revision 0.4: 4096 bytes a sequence, 256 records, ids of
 * at most 128 bytes and 8 levels, message 2048 bytes, title 192 bytes, bad base64 or control bytes discard
 * the report).
 */
#ifndef AGENT_PROGRAM_STATUS_H
#define AGENT_PROGRAM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status_state { STATUS_NONE, STATUS_IDLE, STATUS_WORKING, STATUS_BLOCKED, STATUS_DONE, STATUS_ERROR };
enum status_kind { STATUS_KIND_NONE, STATUS_KIND_PERMISSION, STATUS_KIND_QUESTION, STATUS_KIND_AUTH };

struct status_record {
    char *id; /* "" is the program itself */
    enum status_state state;
    enum status_kind kind;
    int progress;                /* 0 to 100, or -1 */
    char *app, *title, *message; /* NULL when not given */
    uint64_t used;               /* for least-recently-used removal */
};

struct program_status {
    struct status_record *records;
    size_t count;
    uint64_t clock;
};

void program_status_init(struct program_status *status);
void program_status_finish(struct program_status *status);
/* Applies one report (the payload after "7501;"). Returns false when it was discarded. */
bool program_status_report(struct program_status *status, const char *payload, size_t length);
/* Shell prompt mark or the child's end: working and blocked records are dropped. */
void program_status_settle(struct program_status *status);
void program_status_clear(struct program_status *status);
/* The record that speaks for the whole: blocked before error before working before done before idle; NULL
 * when none. */
const struct status_record *program_status_summary(const struct program_status *status);

#endif
