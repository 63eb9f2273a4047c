#include "agent/transcript_rows.h"

#include <stdlib.h>
#include <string.h>

#include "agent/hook_calls.h"
#include "agent/tool_line.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

#define ROWS_MAX 20000
#define SAID_MAX 1000
#define COUNT_MAX 1000000000

void transcript_rows_init(struct transcript_rows *rows, int64_t since_ms)
{
    *rows = (struct transcript_rows){.rows = json_object(), .said = json_array(), .since_ms = since_ms};
}

void transcript_rows_at(struct transcript_rows *rows, const char *time)
{
    int64_t at_ms;

    rows->telling = rows->live || (clock_parse_rfc3339(time, &at_ms) == 0 && at_ms >= rows->since_ms);
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

static void keep(struct transcript_rows *rows, json_t *said)
{
    if (rows->telling && json_array_size(rows->said) < SAID_MAX)
        json_array_append_new(rows->said, said);
    else
        json_decref(said);
}

void transcript_rows_say(struct transcript_rows *rows, enum observation_kind kind, const char *text)
{
    if (*text != '\0')
        keep(rows, json_pack("{si so}", "kind", (int)kind, "text", json_string_or_null(text)));
}

void transcript_rows_call(struct transcript_rows *rows, const char *id, const char *name, const json_t *input)
{
    struct buffer line;

    buffer_init(&line);
    tool_line_append(&line, input);
    keep(rows,
         json_pack("{si so so so sO?}", "kind", OBSERVED_TOOL_CALL, "text", json_string_or_null(line.bytes),
                   "id", json_string_or_null(id), "name", json_string_or_null(name), "input", input));
    buffer_finish(&line);
}

void transcript_rows_result(struct transcript_rows *rows, const char *id, const json_t *result, bool failed)
{
    struct buffer text;

    buffer_init(&text);
    hook_append_result(&text, result);
    keep(rows, json_pack("{si so so sb}", "kind", OBSERVED_TOOL_RESULT, "text",
                         json_string_or_null(text.bytes == NULL ? "" : text.bytes), "id",
                         json_string_or_null(id), "failed", failed));
    buffer_finish(&text);
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
    json_array_foreach(rows->said, index, piece)
    {
        enum observation_kind kind = (enum observation_kind)json_member_integer(piece, "kind", OBSERVED_TEXT);
        observe(observer, &(struct observation){.kind = kind,
                                                .id = json_member_string(piece, "id", NULL),
                                                .name = json_member_string(piece, "name", NULL),
                                                .text = json_member_string(piece, "text", NULL),
                                                .input = json_object_get(piece, "input"),
                                                .failed = json_is_true(json_object_get(piece, "failed")),
                                                .whole = kind == OBSERVED_TEXT || kind == OBSERVED_THINKING});
    }
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
