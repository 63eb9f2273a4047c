#include "store/recording_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/json_scan.h"

#define SIZE_MAX_CELLS 1000
#define DEPTH_MAX 64
#define NUMBER_MAX 9007199254740992.0 /* 2^53: above it a double is no whole number of its own */

void recording_header_init(struct recording_header *header)
{
    *header = (struct recording_header){.cols = 80, .rows = 24};
}

void recording_header_finish(struct recording_header *header)
{
    free(header->title);
    free(header->term);
    recording_header_init(header);
}

/* ---- values ---- */

/* Past a string, which stays as it is. */
static bool skip_string(char **at)
{
    if (!json_scan_char(at, '"'))
        return false;
    for (;;) {
        *at += strcspn(*at, "\"\\");
        if (**at == '\0')
            return false;
        if (*(*at)++ == '"')
            return true;
        if (**at == '\0')
            return false;
        (*at)++;
    }
}

static bool skip_word(char **at)
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    *at += length;
    return length > 0;
}

/* Past any value. Brackets are counted, not matched. */
static bool skip_value(char **at)
{
    unsigned depth = 0;

    do {
        *at += strspn(*at, depth > 0 ? " \t\r\n,:" : " \t\r\n");
        if (**at == '[' || **at == '{') {
            (*at)++;
            if (++depth > DEPTH_MAX)
                return false;
        } else if (depth > 0 && (**at == ']' || **at == '}')) {
            (*at)++;
            depth--;
        } else if (**at == '"' ? !skip_string(at) : !skip_word(at)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

/* A number within [0, 2^53]; anything else is passed over and leaves *number. */
static bool scan_number(char **at, double *number)
{
    char *start = *at;
    double value;

    if (json_scan_number(at, &value)) {
        if (value >= 0 && value <= NUMBER_MAX)
            *number = value;
        return true;
    }
    *at = start;
    return skip_value(at);
}

static bool scan_size(char **at, int *size)
{
    double number = 0;
    bool good = scan_number(at, &number);

    if (number >= 1)
        *size = number > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : (int)number;
    return good;
}

static bool scan_flag(char **at, bool *flag)
{
    *at += strspn(*at, " \t\r\n");
    *flag = strncmp(*at, "true", 4) == 0;
    return skip_value(at);
}

static bool scan_text(char **at, char **text)
{
    char *start = *at, *found;
    size_t length;

    if (!json_scan_string(at, &found, &length)) {
        *at = start;
        return skip_value(at);
    }
    free(*text);
    *text = length == 0 ? NULL : xstrndup(found, length);
    return true;
}

/* ---- objects ---- */

typedef bool (*scan_member)(struct recording_header *header, const char *key, char **at);

static bool scan_object(struct recording_header *header, char **at, scan_member member)
{
    if (!json_scan_char(at, '{'))
        return false;
    if (json_scan_char(at, '}'))
        return true;
    do {
        char *key;
        size_t length;
        char end;
        bool good;
        if (!json_scan_string(at, &key, &length) || !json_scan_char(at, ':'))
            return false;
        end = key[length];
        key[length] = '\0';
        good = member(header, key, at);
        key[length] = end;
        if (!good)
            return false;
    } while (json_scan_char(at, ','));
    return json_scan_char(at, '}');
}

static bool term_member(struct recording_header *header, const char *key, char **at)
{
    if (strcmp(key, "cols") == 0)
        return scan_size(at, &header->cols);
    if (strcmp(key, "rows") == 0)
        return scan_size(at, &header->rows);
    return strcmp(key, "type") == 0 ? scan_text(at, &header->term) : skip_value(at);
}

static bool environment_member(struct recording_header *header, const char *key, char **at)
{
    return strcmp(key, "TERM") == 0 ? scan_text(at, &header->term) : skip_value(at);
}

static bool part_member(struct recording_header *header, const char *key, char **at)
{
    double number = 0;
    bool good;

    if (strcmp(key, "screen") == 0)
        return scan_flag(at, &header->screen);
    good = scan_number(at, &number);
    if (strcmp(key, "part") == 0)
        header->part = number <= UINT32_MAX ? (unsigned)number : 0;
    else if (strcmp(key, "offset") == 0)
        header->offset = (uint64_t)number;
    else if (strcmp(key, "start_s") == 0)
        header->start_s = number <= RECORDING_SECONDS_MAX ? number : 0;
    return good;
}

/* A member that is an object, else passed over. */
static bool scan_inner(struct recording_header *header, char **at, scan_member member)
{
    *at += strspn(*at, " \t\r\n");
    return **at == '{' ? scan_object(header, at, member) : skip_value(at);
}

static bool header_member(struct recording_header *header, const char *key, char **at)
{
    double number = 0;
    bool good;

    if (strcmp(key, "width") == 0)
        return scan_size(at, &header->cols);
    if (strcmp(key, "height") == 0)
        return scan_size(at, &header->rows);
    if (strcmp(key, "title") == 0)
        return scan_text(at, &header->title);
    if (strcmp(key, "term") == 0)
        return scan_inner(header, at, term_member);
    if (strcmp(key, "env") == 0)
        return scan_inner(header, at, environment_member);
    if (strcmp(key, "ganger") == 0) {
        header->is_part = true;
        return scan_inner(header, at, part_member);
    }
    if (strcmp(key, "stdout") == 0) {
        header->events = *at;
        return skip_value(at);
    }
    if (strcmp(key, "version") != 0 && strcmp(key, "timestamp") != 0)
        return skip_value(at);
    good = scan_number(at, &number);
    if (key[0] == 'v')
        header->version = number <= INT32_MAX ? (int)number : INT32_MAX;
    else
        header->started = (int64_t)number;
    return good;
}

bool recording_header_scan(struct recording_header *header, char *text)
{
    return scan_object(header, &text, header_member);
}
