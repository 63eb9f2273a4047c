/*
 * What the transcripts of all agents have in common: usage counted once per message, the model, and what was said since
 * the last report.
 */
#ifndef AGENT_TRANSCRIPT_ROWS_H
#define AGENT_TRANSCRIPT_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/observation.h"

/* Tokens: those of the prompt that no cache held, of the answer, read from and written to the cache. */
enum { COUNT_INPUT, COUNT_OUTPUT, COUNT_CACHE_READ, COUNT_CACHE_WRITE, COUNTS };

struct transcript_rows {
    json_t *rows; /* message: [counts], at most 20,000; repetitions of further ones count again */
    int64_t totals[COUNTS];
    char *model;
    json_t *said; /* [{"kind", "text", "id", "name", "input", "failed"}] since the last report */
    int64_t since_ms;
    bool live;    /* there was a report: all that follows is new */
    bool telling; /* the row that is read is new */
    bool model_changed, usage_changed;
};

/* What was said before that time (wall clock) is counted, not said. */
void transcript_rows_init(struct transcript_rows *rows, int64_t since_ms);
void transcript_rows_finish(struct transcript_rows *rows);
/* A row begins, written at that time (RFC 3339). */
void transcript_rows_at(struct transcript_rows *rows, const char *time);
/* Counts of a message; of one that was counted before they are put in the place of the earlier ones, if they are larger. Absurd
 * numbers are taken for 0. */
void transcript_rows_count(struct transcript_rows *rows, const char *message, int64_t counts[COUNTS]);
void transcript_rows_model(struct transcript_rows *rows, const char *model);
void transcript_rows_say(struct transcript_rows *rows, enum observation_kind kind, const char *text);
void transcript_rows_call(struct transcript_rows *rows, const char *id, const char *name,
                          const json_t *input);
void transcript_rows_result(struct transcript_rows *rows, const char *id, const json_t *result, bool failed);
/* Observes what changed. `context_pct` may be -1. */
void transcript_rows_report(struct transcript_rows *rows, double context_pct,
                            const struct observer *observer);

#endif
