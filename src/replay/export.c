#include "replay/export.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/name.h"
#include "replay/source.h"

static const struct export_format *const formats[] = {&export_cast, &export_text, &export_html};
#define FORMAT_COUNT (sizeof formats / sizeof *formats)

struct request {
    const char *state_dir, *uuid, *file;
    unsigned attempt; /* 0: all */
    const char *output;
    const struct export_format *format;
    bool force;
};

/* ---- formats ---- */

const struct export_format *export_format_named(const char *name)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(name, formats[i]->name) == 0)
            return formats[i];
    return NULL;
}

/* Whether a word of the list, which are separated by blanks, is this one. */
static bool lists(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == length && strncasecmp(at, word, length) == 0)
            return true;
    return false;
}

const struct export_format *export_format_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash == NULL ? path : slash, '.');

    for (size_t i = 0; dot != NULL && i < FORMAT_COUNT; i++)
        if (lists(formats[i]->suffixes, dot))
            return formats[i];
    return NULL;
}

int export_too_long(const struct export_format *format, uint64_t length, struct error *error)
{
    return error_set(
        error,
        "the recording has %.0f MB, and a browser holds %.0f MB at most: export one attempt of it "
        "(--attempt N), one part (a file attempt-N.K.cast in the session's folder), or an asciicast "
        "to play with asciinema",
        (double)length / 1e6, (double)format->most / 1e6);
}

/* ---- the request ---- */

static _Noreturn void usage(const char *message, const char *what)
{
    (void)fprintf(stderr, "ganger: replay: %s%s\n", message, what);
    exit(2);
}

static unsigned parse_attempt(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (strcmp(text, "all") == 0)
        return 0;
    if (*text < '1' || *text > '9' || *end != '\0' || number > 999999)
        usage("--attempt: expected a number or \"all\", not ", text);
    return (unsigned)number;
}

static void take_option(struct request *request, int option)
{
    switch (option) {
    case 'f':
        request->format = export_format_named(optarg);
        if (request->format == NULL)
            usage("--format: expected cast, text or html, not ", optarg);
        break;
    case 'F':
        request->force = true;
        break;
    case 'o':
        request->output = optarg;
        break;
    case 's':
        request->state_dir = optarg;
        break;
    case 'u':
        request->uuid = optarg;
        break;
    case 'a':
        request->attempt = parse_attempt(optarg);
        break;
    default:
        usage("it cannot export with this option; ", "see `ganger replay --help`");
    }
}

static void read_request(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"force", no_argument, NULL, 'F'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"state", required_argument, NULL, 's'},
                                            {"session", required_argument, NULL, 'u'},
                                            {"attempt", required_argument, NULL, 'a'},
                                            {0}};

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take_option(request, option);
    if (optind < argc)
        request->file = argv[optind++];
    if (optind < argc || request->output == NULL || (request->file != NULL) == (request->uuid != NULL) ||
        (request->uuid != NULL && (request->state_dir == NULL || !uuid_valid(request->uuid))))
        usage("it cannot export this; ", "see `ganger replay --help`");
    if (request->format == NULL)
        request->format = export_format_of(request->output);
    if (request->format == NULL)
        usage("--export: no format is known by that name, add --format cast, text or html: ",
              request->output);
}

/* ---- exporting ---- */

static int write_all(const struct request *request, struct timeline *timeline, struct error *error)
{
    const struct timeline_facts *facts = timeline_facts(timeline);
    const struct export_format *format = request->format;
    struct export_file *file;

    if (format->most != 0 && facts->length > format->most)
        return export_too_long(format, facts->length, error);
    file = export_file_create(request->output, request->force, error);
    if (file == NULL)
        return -1;
    if (format->write(timeline, file, error) < 0) {
        export_file_discard(file);
        return -1;
    }
    return export_file_finish(file, error);
}

/* What the file lacks. */
static void warn(const struct timeline *timeline)
{
    unsigned left_out = timeline_facts(timeline)->left_out;

    if (left_out > 0)
        (void)fprintf(stderr, "ganger: replay: attempts that cannot be read are left out: %u\n", left_out);
    source_tell_left_out(timeline_no_events(timeline));
    if (timeline_torn(timeline))
        (void)fprintf(stderr,
                      "ganger: replay: the recording ends in the middle of a line: exported up to there\n");
}

int export_main(int argc, char **argv)
{
    struct request request = {.format = NULL};
    struct timeline *timeline;
    struct error error;
    int result;

    read_request(&request, argc, argv);
    timeline = request.file != NULL
                   ? timeline_file(request.file, &error)
                   : timeline_session(request.state_dir, request.uuid, request.attempt, &error);
    result = timeline == NULL ? -1 : write_all(&request, timeline, &error);
    if (result < 0)
        (void)fprintf(stderr, "ganger: replay: %s\n", error.text);
    else
        warn(timeline);
    timeline_destroy(timeline);
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
