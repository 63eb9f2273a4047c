#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/usage.h"

#define HOUR_MS (INT64_C(3600) * 1000)
#define AGO_MAX 100000
#define COLUMNS 9
#define CELL_SIZE 40

/* ---- dates ---- */

/* Local midnight at the beginning of that day. */
static int64_t midnight(int year, int month, int day)
{
    struct tm broken = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1};
    time_t seconds = mktime(&broken);

    return seconds < 0 ? -1 : (int64_t)seconds * 1000;
}

static int64_t day_from(int64_t now_ms, int days)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL)
        return -1;
    return midnight(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday + days);
}

static bool day_exists(int year, int month, int day)
{
    struct tm broken = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12};

    return year >= 1970 && year <= 9999 && timegm(&broken) >= 0 && broken.tm_mon == month - 1 &&
           broken.tm_mday == day;
}

static int64_t ago(const char *text, int64_t now_ms)
{
    char unit, *past;
    long number;

    if (*text < '0' || *text > '9')
        return -1;
    number = strtol(text, &past, 10);
    unit = *past;
    if (past[0] == '\0' || past[1] != '\0' || number > AGO_MAX)
        return -1;
    if (unit == 'h')
        return now_ms > number * HOUR_MS ? now_ms - number * HOUR_MS : 0;
    return unit == 'd' ? day_from(now_ms, (int)-number) : -1;
}

int64_t usage_date(const char *text, int64_t now_ms, bool end)
{
    int year, month, day, used = 0;
    int64_t time_ms;

    if (strcmp(text, "today") == 0)
        return day_from(now_ms, end ? 1 : 0);
    if (strcmp(text, "yesterday") == 0)
        return day_from(now_ms, end ? 0 : -1);
    if (clock_parse_rfc3339(text, &time_ms) == 0)
        return time_ms;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && text[used] == '\0')
        return day_exists(year, month, day) ? midnight(year, month, day + (end ? 1 : 0)) : -1;
    return ago(text, now_ms);
}

/* ---- numbers for people ---- */

void usage_count(int64_t count, char out[USAGE_COUNT_SIZE])
{
    static const char units[] = "kMGT";
    double value = (double)count;
    size_t unit = 0;

    if (count < 1000) {
        (void)snprintf(out, USAGE_COUNT_SIZE, "%" PRId64, count);
        return;
    }
    /* 999,950 is shown as 1.00M, not as 1000.0k. */
    for (value /= 1000; value >= 999.95 && unit + 2 < sizeof units; unit++)
        value /= 1000;
    (void)snprintf(out, USAGE_COUNT_SIZE, "%.*f%c", value < 9.995 ? 2 : 1, value, units[unit]);
}

void usage_cost(const json_t *row, char out[USAGE_COST_SIZE])
{
    const json_t *cost = json_object_get(row, "cost_usd");
    bool sure = strcmp(json_member_string(row, "cost_basis", ""), "reported") == 0;
    double dollars = json_number_value(cost);

    if (!json_is_number(cost))
        (void)strlcpy(out, "-", USAGE_COST_SIZE);
    else
        (void)snprintf(out, USAGE_COST_SIZE, "%s$%.*f", sure ? "" : "~", dollars > 0 && dollars < 0.1 ? 4 : 2,
                       dollars);
}

/* ---- the table ---- */

static int64_t tokens(const json_t *row)
{
    return json_member_integer(row, "total_tokens", 0);
}

static int more_first(const void *left, const void *right)
{
    int64_t one = tokens(*(json_t *const *)left), other = tokens(*(json_t *const *)right);

    return (one < other) - (one > other);
}

void usage_sort(json_t **list)
{
    size_t count = json_array_size(*list);
    json_t **rows = xcalloc(count + 1, sizeof *rows), *sorted = json_array();

    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(*list, i);
    qsort(rows, count, sizeof *rows, more_first);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append(sorted, rows[i]);
    free(rows);
    json_decref(*list);
    *list = sorted;
}

static const char *label(const json_t *row, enum ledger_usage_by by)
{
    const char *id = json_member_string(row, "session", NULL);

    if (by == USAGE_BY_SESSION)
        return id == NULL ? "(not ganger's)" : json_member_string(row, "name", id);
    if (by == USAGE_BY_MODEL)
        return json_member_string(row, "model", "(not told)");
    if (by == USAGE_BY_DAY)
        return json_member_string(row, "day", "(not told)");
    return json_member_string(row, "account", "?");
}

/* The sum of all rows, as a row. */
static json_t *total(const json_t *list)
{
    static const char *const keys[] = {"messages",          "input_tokens",       "output_tokens",
                                       "cache_read_tokens", "cache_write_tokens", "total_tokens"};
    json_t *sum = json_object(), *row;
    const char *basis = NULL;
    bool priced = false, mixed = false;
    double cost = 0;
    size_t index;

    json_array_foreach(list, index, row)
    {
        const char *own = json_member_string(row, "cost_basis", "");
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
            json_object_set_new(
                sum, keys[i],
                json_integer(json_member_integer(sum, keys[i], 0) + json_member_integer(row, keys[i], 0)));
        priced |= json_is_number(json_object_get(row, "cost_usd"));
        cost += json_member_number(row, "cost_usd", 0);
        mixed |= basis != NULL && strcmp(basis, own) != 0;
        basis = own;
    }
    json_object_set_new(sum, "cost_usd", priced ? json_real(cost) : json_null());
    json_object_set_new(sum, "cost_basis", json_string_or_null(mixed ? "mixed" : basis));
    return sum;
}

struct cells {
    char text[COLUMNS][CELL_SIZE];
};

static void fill(struct cells *cells, const json_t *row)
{
    static const char *const keys[] = {"messages",          "input_tokens",       "output_tokens",
                                       "cache_read_tokens", "cache_write_tokens", "total_tokens"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        usage_count(json_member_integer(row, keys[i], 0), cells->text[i + 1]);
    usage_cost(row, cells->text[7]);
    (void)strlcpy(cells->text[8], json_member_string(row, "cost_basis", "-"), CELL_SIZE);
    if (cells->text[8][0] == '\0')
        (void)strlcpy(cells->text[8], "-", CELL_SIZE);
}

/* Numbers stand at the right. */
static void add_aligned(struct table *table, const char *name, struct cells *cells, const int widths[])
{
    char padded[COLUMNS][2 * CELL_SIZE];
    const char *row[COLUMNS] = {name};

    for (size_t i = 1; i < COLUMNS; i++) {
        (void)snprintf(padded[i], sizeof padded[i], "%*s", i + 1 < COLUMNS ? widths[i] : 0, cells->text[i]);
        row[i] = padded[i];
    }
    table_add(table, row);
}

void usage_print(const json_t *list, enum ledger_usage_by by)
{
    static const char *const names[] = {"ACCOUNT", "SESSION", "MODEL", "DAY"};
    static const struct cells headings = {
        {"", "ANSWERS", "INPUT", "OUTPUT", "CACHE READ", "WRITTEN", "TOTAL", "COST", "BASIS"}};
    size_t count = json_array_size(list), rows = count + 1;
    struct cells *cells = xcalloc(rows, sizeof *cells), heads = headings;
    json_t *sum = total(list);
    const char *heading[COLUMNS] = {names[by]};
    char padded[COLUMNS][2 * CELL_SIZE];
    int widths[COLUMNS];
    struct table *table;

    for (size_t i = 0; i < count; i++)
        fill(&cells[i], json_array_get(list, i));
    fill(&cells[count], sum);
    for (size_t i = 1; i < COLUMNS; i++) {
        widths[i] = (int)strlen(heads.text[i]);
        for (size_t row = 0; row < rows; row++) {
            if ((int)strlen(cells[row].text[i]) > widths[i])
                widths[i] = (int)strlen(cells[row].text[i]);
        }
        (void)snprintf(padded[i], sizeof padded[i], "%*s", i + 1 < COLUMNS ? widths[i] : 0, heads.text[i]);
        heading[i] = padded[i];
    }
    table = table_create(COLUMNS, heading);
    for (size_t i = 0; i < count; i++)
        add_aligned(table, label(json_array_get(list, i), by), &cells[i], widths);
    add_aligned(table, "total", &cells[count], widths);
    table_print(table);
    free(cells);
    json_decref(sum);
}

void usage_print_left_out(const json_t *left_out)
{
    json_t *key;
    size_t index;

    json_array_foreach(left_out, index, key)
    {
        (void)printf("left out: %s, whose login has expired (--all shows it)\n", json_string_value(key));
    }
}
