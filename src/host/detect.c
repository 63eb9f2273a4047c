#include "host/detect.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/detector.h"
#include "base/agent_data.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "host/rules_file.h"
#include "host/typed.h"
#include "store/recording.h"
#include "term/terminal.h"

#define LAST_MS 500     /* after the last event: what was about to be believed then */
#define IDENTIFY_MS 100 /* between two looks for whose screen it is */

struct options {
    const char *file, *agent, *rules; /* the file, or a session's folder */
    unsigned attempt;                 /* of the session; 0: it is a file */
    unsigned ignored;
    bool json;
};

struct detection {
    struct options options;
    struct rules *rules;
    struct detector detector;
    struct terminal *terminal;
    struct typed typed;
    int64_t now_ms, next_ms;
    enum phase told;
    bool told_any;
};

/* ---- telling ---- */

static void print(const struct detection *detection, double seconds)
{
    const struct phase_state *phase = &detection->detector.phase;
    const struct evidence *evidence = &phase->evidence[phase->source];
    struct buffer line;

    if (!detection->options.json) {
        (void)printf("%9.3f  %-12s  %-8s  %s\n", seconds, phase_name(phase->phase),
                     evidence_source_name(phase->source), evidence->detail);
        return;
    }
    buffer_init(&line);
    buffer_printf(&line, "{\"t\": %.3f, \"phase\": \"%s\", \"source\": \"%s\", \"detail\": ", seconds,
                  phase_name(phase->phase), evidence_source_name(phase->source));
    json_append_quoted(&line, evidence->detail, strlen(evidence->detail));
    (void)printf("%s}\n", line.bytes);
    buffer_finish(&line);
}

static void tell(struct detection *detection)
{
    enum phase phase = detection->detector.phase.phase;

    if (detection->told_any && phase == detection->told)
        return;
    detection->told = phase;
    detection->told_any = true;
    print(detection, (double)(detection->now_ms - 1) / 1000);
}

/* ---- what the terminal says ---- */

static void on_title(void *argument, const char *title)
{
    struct detection *detection = argument;

    (void)detector_title(&detection->detector, title, detection->now_ms);
}

static void on_program_status(void *argument, const char *payload, size_t length)
{
    struct detection *detection = argument;

    (void)detector_status(&detection->detector, payload, length, detection->now_ms);
}

static void on_progress(void *argument, int state, int percent)
{
    struct detection *detection = argument;

    (void)percent;
    (void)detector_progress(&detection->detector, state, detection->now_ms);
}

static void on_prompt_mark(void *argument, char mark)
{
    struct detection *detection = argument;

    if (mark == 'A')
        (void)detector_status_settle(&detection->detector, detection->now_ms);
}

static void on_reset(void *argument)
{
    struct detection *detection = argument;

    (void)detector_status_clear(&detection->detector, detection->now_ms);
}

static struct terminal *make_terminal(struct recording_reader *reader, const struct terminal_calls *calls,
                                      void *argument)
{
    struct terminal_options options = {.scrollback_lines = 0, .calls = calls, .argument = argument};

    recording_reader_size(reader, &options.cols, &options.rows);
    return terminal_create(&options);
}

static void resize(struct terminal *terminal, const char *text)
{
    int cols, rows;

    if (sscanf(text, "%9dx%9d", &cols, &rows) == 2)
        terminal_resize(terminal, cols, rows);
}

/* ---- time ---- */

static void look(struct detection *detection)
{
    struct buffer text;

    if (!detector_wants_screen(&detection->detector, detection->now_ms))
        return;
    buffer_init(&text);
    terminal_text(detection->terminal, &text);
    (void)detector_screen(&detection->detector, text.bytes, !terminal_modes(detection->terminal).synchronized,
                          detection->now_ms, detection->now_ms);
    buffer_finish(&text);
}

/* What is due at the time that is now. */
static void settle(struct detection *detection)
{
    look(detection);
    (void)detector_tick(&detection->detector, detection->now_ms, &detection->next_ms);
    tell(detection);
}

static void advance(struct detection *detection, int64_t to_ms)
{
    while (detection->next_ms != 0 && detection->next_ms < to_ms) {
        if (detection->next_ms > detection->now_ms)
            detection->now_ms = detection->next_ms;
        else
            detection->now_ms++;
        settle(detection);
    }
    if (to_ms > detection->now_ms)
        detection->now_ms = to_ms;
}

/* ---- playing ---- */

static void typed(struct detection *detection, const char *bytes, size_t length)
{
    struct typed_keys keys = typed_scan(&detection->typed, bytes, length);

    if (keys.escape || keys.interrupt)
        (void)detector_interrupted(&detection->detector, keys.escape ? "Escape" : "Ctrl+C",
                                   detection->now_ms);
    else if (keys.sent)
        (void)detector_entered(&detection->detector, detection->now_ms);
}

static void play_event(struct detection *detection, const struct recording_event *event)
{
    advance(detection, (int64_t)(event->seconds * 1000) + 1);
    if (event->type == 'o') {
        terminal_write(detection->terminal, event->text, event->length);
        (void)detector_output(&detection->detector, detection->now_ms);
    } else if (event->type == 'i') {
        typed(detection, event->text, event->length);
    } else if (event->type == 'r') {
        resize(detection->terminal, event->text);
    }
    settle(detection);
}

static struct recording_reader *open_recording(const struct options *options, struct error *error)
{
    int file = open(options->file, O_RDONLY | O_CLOEXEC | (options->attempt > 0 ? O_DIRECTORY : 0));
    struct recording_reader *reader;

    if (file < 0) {
        error_errno(error, "cannot read %s", options->file);
        return NULL;
    }
    if (options->attempt == 0)
        return recording_reader_file(file, 0, 0, error);
    reader = recording_reader_attempt(file, options->attempt, 0, 0, error);
    close(file);
    return reader;
}

static int play(struct detection *detection, struct error *error)
{
    static const struct terminal_calls calls = {.title = on_title,
                                                .progress = on_progress,
                                                .program_status = on_program_status,
                                                .prompt_mark = on_prompt_mark,
                                                .reset = on_reset};
    struct recording_reader *reader = open_recording(&detection->options, error);
    struct recording_event event;
    int got;

    if (reader == NULL)
        return -1;
    detection->now_ms = 1;
    detector_init(&detection->detector, detection->rules, detection->now_ms);
    detection->detector.ignored = detection->options.ignored;
    detector_started(&detection->detector, detection->now_ms);
    detection->terminal = make_terminal(reader, &calls, detection);
    tell(detection);
    while ((got = recording_reader_next(reader, &event, error)) == 1)
        play_event(detection, &event);
    advance(detection, detection->now_ms + LAST_MS);
    terminal_destroy(detection->terminal);
    detector_finish(&detection->detector);
    recording_reader_destroy(reader);
    return got;
}

/* ---- whose recording it is ---- */

struct candidates {
    struct rules *rules[16];
    const char *agents[16];
    size_t count;
};

static int load_candidates(struct candidates *candidates, struct error *error)
{
    const char *agent;

    for (candidates->count = 0;
         (agent = agent_data_name(candidates->count)) != NULL && candidates->count < 16;
         candidates->count++) {
        candidates->agents[candidates->count] = agent;
        candidates->rules[candidates->count] = rules_load(agent, NULL, NULL, error);
        if (candidates->rules[candidates->count] == NULL)
            return -1;
    }
    return 0;
}

static const char *whose(const struct candidates *candidates, const struct terminal *terminal)
{
    const char *found = NULL;
    struct buffer text;

    buffer_init(&text);
    terminal_text(terminal, &text);
    for (size_t i = 0; i < candidates->count && found == NULL; i++) {
        if (rules_identify(candidates->rules[i], terminal_title(terminal), text.bytes))
            found = candidates->agents[i];
    }
    buffer_finish(&text);
    return found;
}

static const char *identify_within(const struct candidates *candidates, struct recording_reader *reader,
                                   struct error *error)
{
    static const struct terminal_calls calls = {.title = NULL};
    struct terminal *terminal = make_terminal(reader, &calls, NULL);
    struct recording_event event;
    const char *agent = NULL;
    double looked = -1;

    while (agent == NULL && recording_reader_next(reader, &event, error) == 1) {
        if (event.type == 'r')
            resize(terminal, event.text);
        if (event.type != 'o')
            continue;
        terminal_write(terminal, event.text, event.length);
        if (event.seconds * 1000 >= looked * 1000 + IDENTIFY_MS || looked < 0) {
            looked = event.seconds;
            agent = whose(candidates, terminal);
        }
    }
    if (agent == NULL)
        agent = whose(candidates, terminal);
    terminal_destroy(terminal);
    return agent;
}

/* The agent whose screens or titles these are; "command" when nobody knows them. NULL and the error. */
static const char *identify(const struct options *options, struct error *error)
{
    struct candidates candidates = {.count = 0};
    struct recording_reader *reader = NULL;
    const char *agent = NULL;

    if (load_candidates(&candidates, error) == 0)
        reader = open_recording(options, error);
    if (reader != NULL) {
        agent = identify_within(&candidates, reader, error);
        agent = agent == NULL ? "command" : agent;
    }
    recording_reader_destroy(reader);
    for (size_t i = 0; i < candidates.count; i++)
        rules_destroy(candidates.rules[i]);
    return agent;
}

/* ---- the program ---- */

static int parse_ignored(char *list, unsigned *ignored, struct error *error)
{
    char *rest = list;
    const char *name;

    while ((name = strsep(&rest, ",")) != NULL) {
        enum evidence_source source = 0;
        while (source < EVIDENCE_COUNT && strcmp(evidence_source_name(source), name) != 0)
            source++;
        if (source == EVIDENCE_COUNT)
            return error_set(
                error, "--ignore %s: expected stream, hook, server, status, title, screen, process or user",
                name);
        *ignored |= 1u << source;
    }
    return 0;
}

static int parse(int argc, char **argv, struct options *options, struct error *error)
{
    static const struct option longs[] = {
        {"agent", required_argument, NULL, 'a'},  {"attempt", required_argument, NULL, 'n'},
        {"ignore", required_argument, NULL, 'i'}, {"json", no_argument, NULL, 'j'},
        {"rules", required_argument, NULL, 'r'},  {NULL, 0, NULL, 0}};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (option == 'a')
            options->agent = optarg;
        else if (option == 'r')
            options->rules = optarg;
        else if (option == 'n')
            options->attempt = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'j')
            options->json = true;
        else if (option != 'i')
            return error_set(
                error, "usage: ganger-host detect [--agent A] [--ignore S,…] [--rules FILE] [--json] FILE | "
                       "--attempt N FOLDER");
        else if (parse_ignored(optarg, &options->ignored, error) < 0)
            return -1;
    }
    if (argc - optind != 1)
        return error_set(error, "expected one recording");
    options->file = argv[optind];
    return 0;
}

int detect_main(int argc, char **argv)
{
    struct detection detection = {.next_ms = 0};
    struct error error = {0};
    int result = parse(argc, argv, &detection.options, &error);

    if (result == 0 && detection.options.agent == NULL) {
        detection.options.agent = identify(&detection.options, &error);
        result = detection.options.agent == NULL ? -1 : 0;
    }
    if (result == 0) {
        detection.rules = rules_file_read(detection.options.agent, detection.options.rules, &error);
        result = detection.rules == NULL ? -1 : play(&detection, &error);
    }
    rules_destroy(detection.rules);
    if (result == 0 && fflush(stdout) == 0)
        return 0;
    if (result == 0)
        error_errno(&error, "cannot write");
    (void)fprintf(stderr, "ganger: replay: %s\n", error.text);
    return 1;
}
