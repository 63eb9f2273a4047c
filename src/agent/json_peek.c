#include "agent/json_peek.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NUMBER_MAX 64
#define YEAR_5000_S INT64_C(95617584000)

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Past the string that begins here; NULL when it has no end. */
static const char *skip_string(const char *at, const char *end)
{
    const char *from = at + 1;

    for (const char *quote = from; (quote = memchr(quote, '"', (size_t)(end - quote))) != NULL; quote++) {
        const char *slash = quote;
        while (slash > from && slash[-1] == '\\')
            slash--;
        if ((quote - slash) % 2 == 0)
            return quote + 1;
    }
    return NULL;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        char byte = *at;
        if (byte == '"') {
            at = skip_string(at, end);
            if (at == NULL)
                return NULL;
            continue;
        }
        at++;
        if (byte == '{' || byte == '[')
            depth++;
        else if ((byte == '}' || byte == ']') && --depth == 0)
            return at;
    }
    return NULL;
}

static bool is_scalar(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '+' ||
           byte == '.' || byte == 'E';
}

static const char *skip_value(const char *at, const char *end)
{
    const char *from = at;

    if (at == end)
        return NULL;
    if (*at == '"')
        return skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_container(at, end);
    while (at < end && is_scalar(*at))
        at++;
    return at == from ? NULL : at;
}

struct json_view json_peek(const char *text, size_t length)
{
    const char *end = text + length, *from = skip_space(text, end), *past = skip_value(from, end);

    if (past == NULL || skip_space(past, end) != end)
        return (struct json_view){NULL, 0};
    return (struct json_view){from, (size_t)(past - from)};
}

/* Reads `"key":` and stands at the value; NULL when something else is there. */
static const char *read_key(const char *at, const char *end, struct json_view *key)
{
    const char *past;

    if (at == end || *at != '"' || (past = skip_string(at, end)) == NULL)
        return NULL;
    *key = (struct json_view){at + 1, (size_t)(past - at) - 2};
    at = skip_space(past, end);
    return at < end && *at == ':' ? skip_space(at + 1, end) : NULL;
}

bool json_peek_next(struct json_view container, const char **at, struct json_view *key,
                    struct json_view *value)
{
    const char *here, *end, *past;
    struct json_view name = {NULL, 0};
    bool object;

    if (container.length < 2 || (*container.at != '{' && *container.at != '['))
        return false;
    object = *container.at == '{';
    end = container.at + container.length - 1;
    here = skip_space(*at == NULL ? container.at + 1 : *at, end);
    if (*at != NULL && here < end) {
        if (*here != ',')
            return false;
        here = skip_space(here + 1, end);
    }
    if (here == end || (object && (here = read_key(here, end, &name)) == NULL))
        return false;
    past = skip_value(here, end);
    if (past == NULL)
        return false;
    *value = (struct json_view){here, (size_t)(past - here)};
    if (key != NULL)
        *key = name;
    *at = past;
    return true;
}

static void clear(const struct json_wanted *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *wanted[i].value = (struct json_view){NULL, 0};
}

static bool key_is(struct json_view key, const char *name)
{
    return strlen(name) == key.length && memcmp(key.at, name, key.length) == 0;
}

bool json_peek_members(struct json_view object, const struct json_wanted *wanted, size_t count)
{
    struct json_view key, value;
    const char *at = NULL, *end = object.at + object.length;

    clear(wanted, count);
    if (object.length < 2 || *object.at != '{')
        return false;
    while (json_peek_next(object, &at, &key, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (key_is(key, wanted[i].key))
                *wanted[i].value = value;
        }
    }
    at = at == NULL ? object.at + 1 : at;
    if (skip_space(at, end) == end - 1 && end[-1] == '}')
        return true;
    clear(wanted, count);
    return false;
}

struct json_view json_peek_path(struct json_view object, const char *const *names)
{
    struct json_view value = object;

    for (; *names != NULL && value.length > 0; names++) {
        struct json_view inner;
        if (!json_peek_members(value, &(struct json_wanted){*names, &inner}, 1))
            return (struct json_view){NULL, 0};
        value = inner;
    }
    return value;
}

bool json_peek_is(struct json_view view, const char *string)
{
    return view.length >= 2 && *view.at == '"' &&
           key_is((struct json_view){view.at + 1, view.length - 2}, string);
}

bool json_peek_true(struct json_view view)
{
    return view.length == 4 && memcmp(view.at, "true", 4) == 0;
}

double json_peek_number(struct json_view view, double fallback)
{
    char text[NUMBER_MAX], *past;
    double number;

    if (view.length == 0 || view.length >= sizeof text ||
        (*view.at != '-' && (*view.at < '0' || *view.at > '9')))
        return fallback;
    memcpy(text, view.at, view.length);
    text[view.length] = '\0';
    number = strtod(text, &past);
    return *past == '\0' && isfinite(number) ? number : fallback;
}

/* Digits alone, the usual case, by hand: exact, fast and independent of the locale. */
static bool read_digits(struct json_view view, int64_t *number)
{
    *number = 0;
    if (view.length == 0 || view.length > 18)
        return false;
    for (size_t i = 0; i < view.length; i++) {
        if (view.at[i] < '0' || view.at[i] > '9')
            return false;
        *number = *number * 10 + (view.at[i] - '0');
    }
    return true;
}

int64_t json_peek_count(struct json_view view)
{
    int64_t number;

    if (!read_digits(view, &number)) {
        double real = json_peek_number(view, -1);
        if (real < 0 || real > (double)JSON_PEEK_MAX)
            return -1;
        number = (int64_t)real;
    }
    return number > JSON_PEEK_MAX ? -1 : number;
}

char *json_peek_text(struct json_view view, char *out, size_t size)
{
    size_t length;

    if (view.length < 3 || *view.at != '"')
        return NULL;
    length = view.length - 2 < size ? view.length - 2 : size - 1;
    memcpy(out, view.at + 1, length);
    out[length] = '\0';
    return out;
}

int64_t json_peek_time(struct json_view view)
{
    char text[NUMBER_MAX];
    int64_t number;

    if (json_peek_text(view, text, sizeof text) != NULL)
        return clock_parse_rfc3339(text, &number) == 0 && number > 0 ? number : 0;
    if (!read_digits(view, &number))
        return 0;
    return number < YEAR_5000_S ? number * 1000 : number;
}
