#include "replay/play.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/playback.h"
#include "store/session_shown.h"

/* Where it comes from, as given. */
struct origin {
    const char *state_dir, *uuid;
    unsigned attempt;
};

static int number(const char *option, const char *text, double least, double most, double *value,
                  struct error *error)
{
    char *end;

    *value = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(*value >= least && *value <= most))
        return error_set(error, "--%s %s: expected a number from %g to %g", option, text, least, most);
    return 0;
}

static int size(const char *text, struct play_options *options, struct error *error)
{
    char end;

    if (sscanf(text, "%9dx%9d%c", &options->cols, &options->rows, &end) != 2 || options->cols < 1 ||
        options->rows < 1 || options->cols > 1000 || options->rows > 500)
        return error_set(error, "--size %s: expected columns and rows, like 80x24", text);
    return 0;
}

static int apply(int option, struct play_options *options, struct origin *origin, struct error *error)
{
    double attempt;

    switch (option) {
    case 'p':
        return number("speed", optarg, 0.001, PLAYBACK_SPEED_MAX, &options->speed, error);
    case 'a':
        if (playback_parse_time(optarg, 0, 0, &options->at) < 0 || strchr("+-", *optarg) != NULL)
            return error_set(error, "--at %s: expected seconds or h:mm:ss, minutes and seconds below 60",
                             optarg);
        return 0;
    case 'i':
        return number("idle", optarg, 0, PLAYBACK_TIME_MAX, &options->idle, error);
    case 'z':
        return size(optarg, options, error);
    case 'r':
        options->raw = true;
        return 0;
    case 'S':
        origin->state_dir = optarg;
        return 0;
    case 'u':
        origin->uuid = optarg;
        return 0;
    case 'n':
        options->name = optarg;
        return 0;
    case 'A':
        if (number("attempt", optarg, 1, 1e9, &attempt, error) < 0)
            return -1;
        origin->attempt = (unsigned)attempt;
        return 0;
    default:
        return error_set(error, "it is started by `ganger replay`");
    }
}

static int parse(int argc, char **argv, struct play_options *options, struct error *error)
{
    static const struct option longs[] = {
        {"speed", required_argument, NULL, 'p'},   {"at", required_argument, NULL, 'a'},
        {"idle", required_argument, NULL, 'i'},    {"size", required_argument, NULL, 'z'},
        {"raw", no_argument, NULL, 'r'},           {"state", required_argument, NULL, 'S'},
        {"session", required_argument, NULL, 'u'}, {"attempt", required_argument, NULL, 'A'},
        {"name", required_argument, NULL, 'n'},    {NULL, 0, NULL, 0}};
    struct origin origin = {.attempt = 1};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (apply(option, options, &origin, error) < 0)
            return -1;
    }
    if (argc - optind != (origin.uuid == NULL) || (origin.uuid != NULL) != (origin.state_dir != NULL))
        return error_set(error, "expected one recording");
    if (origin.uuid == NULL)
        return source_init_file(&options->source, argv[optind], error);
    source_init_session(&options->source, origin.state_dir, origin.uuid, origin.attempt);
    return 0;
}

/* A terminal that cannot place its cursor gets the bytes. */
static bool can_draw(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

int play_main(int argc, char **argv)
{
    struct play_options options = {.speed = 1, .at = -1, .idle = -1, .name = ""};
    struct error error = {0};
    int result = parse(argc, argv, &options, &error), shown = -1;

    /* What is played is not cleaned away meanwhile. */
    if (result == 0 && options.source.state_dir != NULL) {
        shown = session_shown_open(options.source.state_dir);
        session_shown_set(shown, options.source.uuid, true);
    }
    if (result == 0 && (options.raw || !can_draw())) {
        result = play_raw(&options, &error);
    } else if (result == 0) {
        options.idle = options.idle < 0 ? PLAY_IDLE_DEFAULT : options.idle;
        result = play_terminal(&options, &error);
    }
    source_finish(&options.source);
    if (shown >= 0)
        close(shown);
    if (result == 0)
        return 0;
    (void)fprintf(stderr, "ganger: replay: %s\n", error.text);
    return 1;
}
