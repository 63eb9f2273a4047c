#include "cli/cli.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/search_output.h"
#include "cli/search_pattern.h"
#include "cli/search_scan.h"
#include "cli/search_units.h"
#include "store/session_dir.h"

#define THREADS_MAX 16
#define NAME_SHOWN 24 /* columns in which names are aligned */

static int run(int argc, char **argv);

const struct command command_search = {
    "search", "Look", "find text in the recordings of all sessions",
    "usage: ganger search [-i] [-F] [--json] [--limit N] [--since TIME] PATTERN [SESSION…]\n"
    "\n"
    "Prints each line that an agent printed and that matches PATTERN, a POSIX extended regular expression, "
    "with the\n"
    "session, the attempt and how far into its recording that was. Sessions that run are searched too. A "
    "line that an\n"
    "interface draws again and again is printed once, with how often.\n"
    "\n"
    "  -i             upper and lower case are the same\n"
    "  -F             PATTERN is text, not an expression\n"
    "  --json         one object a line: {\"session\", \"id\", \"attempt\", \"seconds\", \"time\", "
    "\"times\", \"text\", "
    "\"replay\"}\n"
    "  --limit N      at most N lines (0: all)\n"
    "  --since TIME   only since then: 2026-11-21T08:00:00Z, or 90m, 12h, 7d ago\n"
    "\n"
    "To go there: ganger replay SESSION --attempt N --at H:MM:SS\n"
    "Exits with 0 when something was found, 1 when nothing was, 2 when PATTERN is no expression.\n"
    "\n"
    "example: ganger search -i 'permission denied|EACCES'\n",
    run};

struct search {
    const char *text;
    bool fixed, ignore_case, json, colour;
    int64_t since_ms;
    uint64_t limit;
    struct search_units units;
    struct search_output output;
    atomic_size_t next_unit;
    int name_columns;
};

/* What a thread has of its own. */
struct searcher {
    struct search *search;
    struct search_pattern *pattern;
    size_t unit;
    bool told_gap;
    struct buffer lines;
};

/* ---- a hit's line ---- */

static void add_clean(struct buffer *out, const char *text, size_t length)
{
    char *clean = cli_clean(text, length);

    buffer_append_string(out, clean);
    free(clean);
}

static void add_highlighted(struct searcher *searcher, const struct search_hit *hit)
{
    struct buffer *out = &searcher->lines;
    size_t at = 0, start, end;

    while (searcher->search->colour && at < hit->length &&
           search_pattern_find(searcher->pattern, hit->text, at, &start, &end) && end > start) {
        add_clean(out, hit->text + at, start - at);
        buffer_append_string(out, "\033[1;31m");
        add_clean(out, hit->text + start, end - start);
        buffer_append_string(out, "\033[0m");
        at = end;
    }
    add_clean(out, hit->text + at, hit->length - at);
}

static void add_line(struct searcher *searcher, const struct search_unit *unit, const struct search_hit *hit)
{
    const struct search *search = searcher->search;
    struct buffer *out = &searcher->lines;
    uint64_t seconds = (uint64_t)hit->seconds;
    int columns = cli_columns(unit->session->name, strlen(unit->session->name));

    buffer_append_string(out, search->colour ? "\033[36m" : "");
    buffer_append_string(out, unit->session->name);
    buffer_append_string(out, search->colour ? "\033[0m" : "");
    buffer_printf(out, "%*s  %u  ", columns < search->name_columns ? search->name_columns - columns : 0, "",
                  unit->attempt);
    buffer_printf(out, "%llu:%02u:%02u  ", (unsigned long long)(seconds / 3600),
                  (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    add_highlighted(searcher, hit);
    if (hit->times > 1)
        buffer_printf(out, "%s  (%u times)%s", search->colour ? "\033[2m" : "", hit->times,
                      search->colour ? "\033[0m" : "");
    buffer_append_char(out, '\n');
}

static void add_object(struct searcher *searcher, const struct search_unit *unit,
                       const struct search_hit *hit)
{
    struct buffer *out = &searcher->lines;
    char *clean = cli_clean(hit->text, hit->length);
    json_t *object = json_pack(
        "{so, ss, si, sf, so, sI, so}", "session", json_string_or_null(unit->session->name), "id",
        unit->session->uuid, "attempt", (int)unit->attempt, "seconds", hit->seconds, "time",
        json_time_or_null(hit->time_ms), "times", (json_int_t)hit->times, "text", json_string_or_null(clean));
    char *command = xasprintf("ganger replay %s --attempt %u --at %.3f", unit->session->reference,
                              unit->attempt, ceil(hit->seconds * 1000) / 1000);

    json_object_set_new(object, "replay", json_string_or_null(command));
    json_append_value(out, object);
    buffer_append_char(out, '\n');
    json_decref(object);
    free(command);
    free(clean);
}

static void on_hit(void *argument, const struct search_hit *hit)
{
    struct searcher *searcher = argument;
    struct search *search = searcher->search;
    const struct search_unit *unit = &search->units.units[searcher->unit];

    if (search->json)
        add_object(searcher, unit, hit);
    else
        add_line(searcher, unit, hit);
    search_output_add(&search->output, searcher->unit, &searcher->lines);
}

static void on_gap(void *argument, const char *text)
{
    struct searcher *searcher = argument;
    const struct search_unit *unit = &searcher->search->units.units[searcher->unit];
    char *clean;

    if (searcher->told_gap)
        return;
    searcher->told_gap = true;
    clean = cli_clean(text, strlen(text));
    (void)fprintf(stderr, "ganger: search: %s, attempt %u: %s\n", unit->session->name, unit->attempt, clean);
    free(clean);
}

/* ---- the work ---- */

static void search_unit(struct searcher *searcher)
{
    struct search *search = searcher->search;
    const struct search_unit *unit = &search->units.units[searcher->unit];
    struct error error = {0};
    struct search_scan scan = {.session_dir = session_dir_open(cli_state_dir(), unit->session->uuid, &error),
                               .attempt = unit->attempt,
                               .part = unit->part,
                               .previous = unit->previous,
                               .next = unit->next,
                               .pattern = searcher->pattern,
                               .since_ms = search->since_ms,
                               .stop = &search->output.stop,
                               .hit = on_hit,
                               .gap = on_gap,
                               .argument = searcher};

    searcher->told_gap = false;
    /* A session that was removed meanwhile is no failure. */
    if (scan.session_dir < 0)
        return;
    if (search_scan_run(&scan, &error) < 0)
        (void)fprintf(stderr, "ganger: search: %s, attempt %u: %s\n", unit->session->name, unit->attempt,
                      error.text);
    close(scan.session_dir);
}

static void *work(void *argument)
{
    struct search *search = argument;
    struct error error;
    struct searcher searcher = {
        .search = search,
        .pattern = search_pattern_create(search->text, search->fixed, search->ignore_case, &error)};

    if (searcher.pattern == NULL)
        abort();
    while ((searcher.unit = atomic_fetch_add(&search->next_unit, 1)) < search->units.count) {
        if (!atomic_load(&search->output.stop))
            search_unit(&searcher);
        search_output_done(&search->output, searcher.unit);
    }
    search_pattern_destroy(searcher.pattern);
    buffer_finish(&searcher.lines);
    return NULL;
}

static void work_all(struct search *search)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[THREADS_MAX];
    size_t count = 0, wanted = processors < 1 ? 1 : (size_t)processors;

    wanted = wanted > THREADS_MAX ? THREADS_MAX : wanted;
    wanted = wanted > search->units.count ? search->units.count : wanted;
    while (count + 1 < wanted && pthread_create(&threads[count], NULL, work, search) == 0)
        count++;
    (void)work(search);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

/* ---- the command ---- */

/* A time, or how long ago. */
static int64_t read_since(const char *text)
{
    int64_t at_ms;
    double ago_s;

    if (clock_parse_rfc3339(text, &at_ms) == 0)
        return at_ms;
    if (cli_parse_age(text, &ago_s))
        return clock_realtime_ms() - (int64_t)(ago_s * 1000);
    cli_usage_error(&command_search, "--since %s: expected a time, like 2026-11-21T08:00:00Z or 90m", text);
}

static void check_pattern(const struct search *search)
{
    struct error error;
    struct search_pattern *pattern =
        search_pattern_create(search->text, search->fixed, search->ignore_case, &error);

    if (pattern == NULL)
        cli_usage_error(&command_search, "\"%s\" is no pattern: %s", search->text, error.text);
    search_pattern_destroy(pattern);
}

static void find_units(struct search *search, char **references, int count)
{
    struct error error;
    int damaged = 0;

    if (search_units_find(&search->units, references, count, &damaged, &error) < 0)
        cli_die("search", &error);
    if (damaged > 0)
        (void)cli_errorf("search", "%d sessions cannot be read; `ganger doctor` says why", damaged);
    for (size_t i = 0; i < search->units.session_count; i++) {
        const char *name = search->units.sessions[i].name;
        int columns = cli_columns(name, strlen(name));
        search->name_columns = columns > search->name_columns ? columns : search->name_columns;
    }
    if (search->name_columns > NAME_SHOWN)
        search->name_columns = NAME_SHOWN;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"ignore-case", no_argument, NULL, 'i'},
                                            {"fixed-strings", no_argument, NULL, 'F'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"since", required_argument, NULL, 's'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct search search = {.text = NULL};
    int code;

    for (int option; (option = cli_option(&command_search, argc, argv, ":iFh", options)) != -1;) {
        search.ignore_case = search.ignore_case || option == 'i';
        search.fixed = search.fixed || option == 'F';
        search.json = search.json || option == 'j';
        if (option == 'l')
            search.limit = cli_number(&command_search, optarg);
        else if (option == 's')
            search.since_ms = read_since(optarg);
    }
    cli_operands(&command_search, argc, 1, -1);
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    search.text = argv[optind];
    search.colour = cli_has_colour();
    check_pattern(&search);
    find_units(&search, argv + optind + 1, argc - optind - 1);
    search_output_init(&search.output, search.units.count, search.limit);
    work_all(&search);
    code = fflush(stdout) == 0 && !ferror(stdout) && search.output.printed > 0 ? EXIT_OK : EXIT_FAILED;
    if (code == EXIT_OK && !search.json && isatty(STDOUT_FILENO))
        (void)fputs("To go there: ganger replay SESSION --attempt N --at H:MM:SS\n", stderr);
    search_output_finish(&search.output);
    search_units_finish(&search.units);
    return code;
}
