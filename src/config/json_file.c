#include "config/json_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "config/schema.h"

/* "FILE:LINE: KEY: PROBLEM" */
static int report(const char *file, const char *text, const struct key_path *path, const char *problem,
                  struct error *error)
{
    struct buffer key = {0};

    key_path_print(path, &key);
    (void)error_set(error, "%s:%zu: %s%s%s", file, key_path_line(path, text), key.length > 0 ? key.bytes : "",
                    key.length > 0 ? ": " : "", problem);
    buffer_finish(&key);
    return -1;
}

static int check(const json_t *schema, json_file_rules *rules, const char *file, const char *text,
                 const json_t *values, struct error *error)
{
    struct key_path path = {.depth = 0};
    struct buffer problem = {0};
    int result = 0;

    if (schema_check(schema, values, &path, &problem) < 0 || rules(values, &path, &problem) < 0)
        result = report(file, text, &path, problem.bytes, error);
    buffer_finish(&problem);
    return result;
}

/* What is missing at a file's end is missing from its last line, not from one below. */
static int line_in(const char *text, size_t length, int line)
{
    int lines = 1;

    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n' && text[i + 1 + strspn(text + i + 1, " \t\r\n")] != '\0';
    return line < 1 ? 1 : line > lines ? lines : line;
}

static json_t *parse(const char *file, const char *text, size_t length, struct error *error)
{
    json_error_t where;
    json_t *values;

    if (text[strspn(text, " \t\r\n")] == '\0' && strlen(text) == length)
        return json_object();
    values = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (values == NULL)
        (void)error_set(error, "%s:%d: not valid JSON: %s", file, line_in(text, length, where.line),
                        where.text);
    return values;
}

json_t *json_file_read(const char *file, bool optional, const json_t *schema, json_file_rules *rules,
                       struct error *error)
{
    struct error reading = {0};
    json_t *values;
    size_t length;
    char *text;

    if (path_read_file(file, JSON_FILE_MAX, &text, &length, &reading) < 0) {
        if (optional && reading.code == ENOENT)
            return json_object();
        if (error != NULL)
            *error = reading;
        return NULL;
    }
    values = parse(file, text, length, error);
    if (values != NULL && check(schema, rules, file, text, values, error) < 0) {
        json_decref(values);
        values = NULL;
    }
    free(text);
    return values;
}
