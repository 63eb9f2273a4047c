#include "config/key_path.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static void push(struct key_path *path, struct key_step step)
{
    if (path->depth < KEY_PATH_MAX)
        path->steps[path->depth] = step;
    path->depth++;
}

void key_path_push_key(struct key_path *path, const char *key)
{
    push(path, (struct key_step){.key = key});
}

void key_path_push_index(struct key_path *path, size_t index)
{
    push(path, (struct key_step){.index = index});
}

void key_path_pop(struct key_path *path)
{
    path->depth--;
}

static bool is_simple(const char *key)
{
    static const char simple[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$-";

    return *key != '\0' && key[strspn(key, simple)] == '\0';
}

void key_path_print(const struct key_path *path, struct buffer *out)
{
    for (size_t i = 0; i < path->depth && i < KEY_PATH_MAX; i++) {
        const struct key_step *step = &path->steps[i];
        if (step->key == NULL) {
            buffer_printf(out, "[%zu]", step->index);
        } else if (is_simple(step->key)) {
            buffer_printf(out, "%s%s", i > 0 ? "." : "", step->key);
        } else {
            buffer_append_char(out, '[');
            json_append_quoted(out, step->key, strlen(step->key));
            buffer_append_char(out, ']');
        }
    }
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* After the string that begins at `at`. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"' && *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
    }
    return *at == '\0' ? at : at + 1;
}

/* After the value that begins at `at`. */
static const char *skip_value(const char *at)
{
    size_t depth = 0;

    do {
        at = skip_space(at);
        if (*at == '"') {
            at = skip_string(at);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (*at == ',' || *at == ':') {
            at++;
        } else {
            at += strcspn(at, " \t\r\n,:{}[]\"");
        }
    } while (depth > 0 && *at != '\0');
    return at;
}

/* Whether the JSON string at `at` means this key. */
static bool key_is(const char *at, const char *key)
{
    json_t *value = json_loadb(at, (size_t)(skip_string(at) - at), JSON_DECODE_ANY, NULL);
    bool same = value != NULL && strcmp(json_string_value(value), key) == 0;

    json_decref(value);
    return same;
}

/* The entry of the object or list at `at` that the step leads to: its key (or value), and its value; or NULL. */
static const char *find_entry(const char *at, const struct key_step *step, const char **value)
{
    char close = *at == '{' ? '}' : ']';

    if (*at != (step->key != NULL ? '{' : '['))
        return NULL;
    at = skip_space(at + 1);
    for (size_t index = 0; *at != close && *at != '\0'; index++) {
        const char *entry = at;
        *value = at;
        if (close == '}')
            *value = skip_space(skip_space(skip_string(at)) + 1);
        if (step->key != NULL ? key_is(entry, step->key) : index == step->index)
            return entry;
        at = skip_space(skip_value(*value));
        if (*at == ',')
            at = skip_space(at + 1);
    }
    return NULL;
}

size_t key_path_line(const struct key_path *path, const char *text)
{
    const char *found = skip_space(text), *value = found;
    size_t line = 1;

    for (size_t i = 0; i < path->depth && i < KEY_PATH_MAX; i++) {
        const char *entry = find_entry(value, &path->steps[i], &value);
        if (entry == NULL)
            break;
        found = entry;
    }
    for (const char *at = text; at < found; at++)
        line += *at == '\n';
    return line;
}
