#include "agent/transcript_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

#define ROWS_MAX 20000
#define SAID_MAX 1000
#define COUNT_MAX 1000000000

void transcript_rows_init(struct transcript_rows *rows)
{
    *rows = (struct transcript_rows){.rows = json_object(), .said = json_array()};
}

void transcript_rows_finish(struct transcript_rows *rows)
{
    json_decref(rows->rows);
    json_decref(rows->said);
    free(rows->model);
}

void transcript_rows_count(struct transcript_rows *rows, const char *message, int64_t counts[COUNTS])
{
    const json_t *known = json_object_get(rows->rows, message);
    int64_t before[COUNTS], sum = 0, sum_before = 0;

    for (int i = 0; i < COUNTS; i++) {
        if (counts[i] < 0 || counts[i] > COUNT_MAX)
            counts[i] = 0;
        before[i] = json_integer_value(json_array_get(known, (size_t)i));
        sum += counts[i];
        sum_before += before[i];
    }
    if (sum <= sum_before)
        return;
    for (int i = 0; i < COUNTS; i++)
        rows->totals[i] += counts[i] - before[i];
    if (known != NULL || json_object_size(rows->rows) < ROWS_MAX)
        json_object_set_new(rows->rows, message,
                            json_pack("[IIII]", (json_int_t)counts[COUNT_INPUT],
                                      (json_int_t)counts[COUNT_OUTPUT], (json_int_t)counts[COUNT_CACHE_READ],
                                      (json_int_t)counts[COUNT_CACHE_WRITE]));
    rows->usage_changed = true;
}

void transcript_rows_model(struct transcript_rows *rows, const char *model)
{
    if (*model == '\0' || (rows->model != NULL && strcmp(rows->model, model) == 0))
        return;
    free(rows->model);
    rows->model = xstrdup(model);
    rows->model_changed = true;
}

void transcript_rows_say(struct transcript_rows *rows, enum observation_kind kind, const char *text)
{
    if (rows->live && *text != '\0' && json_array_size(rows->said) < SAID_MAX)
        json_array_append_new(rows->said,
                              json_pack("{si so}", "kind", (int)kind, "text", json_string_or_null(text)));
}

static void observe(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

void transcript_rows_report(struct transcript_rows *rows, double context_pct, const struct observer *observer)
{
    const int64_t *totals = rows->totals;
    const json_t *piece;
    size_t index;

    rows->live = true;
    json_array_foreach(rows->said, index, piece) observe(
        observer, &(struct observation){.kind = (enum observation_kind)json_member_integer(piece, "kind", 0),
                                        .text = json_member_string(piece, "text", ""),
                                        .whole = true});
    json_array_clear(rows->said);
    if (rows->model_changed)
        observe(observer, &(struct observation){.kind = OBSERVED_SESSION, .name = rows->model});
    if (rows->usage_changed)
        observe(observer, &(struct observation){.kind = OBSERVED_USAGE,
                                                .usage = {.input_tokens = totals[COUNT_INPUT],
                                                          .output_tokens = totals[COUNT_OUTPUT],
                                                          .cache_read_tokens = totals[COUNT_CACHE_READ],
                                                          .cache_write_tokens = totals[COUNT_CACHE_WRITE],
                                                          .cost_usd = -1,
                                                          .context_pct = context_pct}});
    rows->model_changed = rows->usage_changed = false;
}
