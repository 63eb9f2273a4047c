#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/live_text.h"
#include "store/recording.h"
#include "store/session_dir.h"

#define ATTEMPTS_MAX 100000 /* that are looked for */

static int run(int argc, char **argv);

const struct command command_logs = {
    "logs", "Look", "what a session printed, as text",
    "usage: ganger logs SESSION [-f | --raw [--attempt N]]\n"
    "\n"
    "Prints the transcript: the lines that left the screen, then the screen of a running session.\n"
    "\n"
    "  -f           follow: go on with the lines that leave the screen, until the session ends\n"
    "  --raw        the bytes that the agent printed, escape sequences included, all attempts\n"
    "  --attempt N  of --raw: those of one attempt\n"
    "\n"
    "example: ganger logs api-fix | less\n",
    run};

/* Copies from the file's offset to its end. */
static int copy_rest(int file)
{
    char bytes[16384];
    ssize_t got;

    while ((got = read(file, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0 && fwrite(bytes, 1, (size_t)got, stdout) != (size_t)got)
            return -1;
    }
    return fflush(stdout) == 0 && got == 0 ? 0 : -1;
}

/* The transcript as far as it was read. It is there once a line has left the screen. */
struct transcript {
    int folder;
    int file; /* -1: not there yet */
};

/* Copies what was added. Returns 0 or -1. */
static int copy_transcript(struct transcript *transcript)
{
    if (transcript->file < 0)
        transcript->file =
            openat(transcript->folder, SESSION_TRANSCRIPT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return transcript->file < 0 ? 0 : copy_rest(transcript->file);
}

static bool running(const char *uuid)
{
    struct error error;
    json_t *session = cli_session(uuid, 2000, &error);
    bool result = session != NULL && !session_phase_ended(json_member_string(session, "phase", ""));

    json_decref(session);
    return result;
}

/* Watches the transcript, or the folder as long as it is not there. */
static void watch_transcript(int watch, const char *folder)
{
    char *path = path_join(folder, SESSION_TRANSCRIPT), ignored[4096];

    while (read(watch, ignored, sizeof ignored) > 0)
        continue;
    if (inotify_add_watch(watch, path, IN_MODIFY) < 0)
        (void)inotify_add_watch(watch, folder, IN_CREATE | IN_ONESHOT);
    free(path);
}

static struct client *subscribe(const char *uuid)
{
    struct error error;
    struct client *client = cli_connect(uuid, &error);

    if (client != NULL)
        json_decref(client_call(client, "session.subscribe", json_pack("{s:[s]}", "types", "session_ended"),
                                CLI_CALL_TIMEOUT_MS, &error));
    return client;
}

/* Copies what is added to the transcript until the session ends. */
static int follow(const char *uuid, struct transcript *transcript)
{
    char *folder = session_dir_path(cli_state_dir(), uuid);
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), result = 0, got = 0;
    struct client *client = subscribe(uuid);
    bool ended = client == NULL || !running(uuid);

    while (!ended && result == 0) {
        struct pollfd waited[] = {{.fd = watch, .events = POLLIN},
                                  {.fd = client_descriptor(client), .events = POLLIN}};
        char *line;
        size_t length;
        struct error error;
        watch_transcript(watch, folder);
        result = copy_transcript(transcript);
        (void)poll(waited, 2, -1);
        if (waited[1].revents != 0)
            got = client_next(client, 0, &line, &length, &error);
        if (got < 0) {
            client_destroy(client);
            client = subscribe(uuid);
        }
        ended = client == NULL || got > 0 || (got < 0 && !running(uuid));
        got = 0;
    }
    result = result == 0 ? copy_transcript(transcript) : result;
    client_destroy(client);
    close(watch);
    free(folder);
    return result;
}

/* The exit code, or -1 when there is no such recording. What is missing is said on stderr. */
static int print_recording(int folder, unsigned attempt)
{
    char name[RECORDING_NAME_SIZE];
    struct error error;
    struct recording_reader *reader = recording_reader_attempt(folder, attempt, 0, 0, &error);
    struct recording_event event;
    int got = 0;

    (void)snprintf(name, sizeof name, "attempt %u", attempt);
    if (reader == NULL)
        return error.code == ENOENT ? -1 : cli_error(name, &error);
    while (!ferror(stdout) && (got = recording_reader_next(reader, &event, &error)) > 0) {
        if (event.type == 'o')
            (void)fwrite(event.text, 1, event.length, stdout);
        else if (event.type == 'm' && strncmp(event.text, "gap: ", 5) == 0)
            (void)cli_errorf(name, "%s", event.text);
    }
    recording_reader_destroy(reader);
    return got < 0 ? cli_error(name, &error) : EXIT_OK;
}

/* All attempts, or one when `only` is not 0. */
static int print_raw(const char *uuid, unsigned only)
{
    struct error error;
    json_t *session = session_dir_read(cli_state_dir(), uuid, &error);
    int folder = session == NULL ? -1 : session_dir_open(cli_state_dir(), uuid, &error), code = EXIT_OK;
    int64_t attempts = json_member_integer(session, "attempt", 1);

    json_decref(session);
    if (folder < 0)
        cli_die("logs", &error);
    if (only > 0)
        code = print_recording(folder, only);
    if (code < 0)
        code = cli_errorf("logs", "there is no recording of attempt %u", only);
    /* There may be more than session.json speaks of, when it could not be written. */
    for (unsigned attempt = 1; code == EXIT_OK && only == 0; attempt++) {
        int got = print_recording(folder, attempt);
        if (got < 0 && (attempt > attempts || attempt > ATTEMPTS_MAX))
            break;
        code = got < 0 ? EXIT_OK : got;
    }
    close(folder);
    return fflush(stdout) == 0 ? code : EXIT_FAILED;
}

static unsigned read_attempt(const char *text)
{
    uint64_t number = cli_number(&command_logs, text);

    if (number == 0 || number > UINT32_MAX)
        cli_usage_error(&command_logs, "--attempt %s: attempts count from 1", text);
    return (unsigned)number;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
                                            {"raw", no_argument, NULL, 'r'},
                                            {"attempt", required_argument, NULL, 'a'},
                                            CLI_HELP_OPTION,
                                            {0}};
    bool following = false, raw = false;
    unsigned attempt = 0;
    char uuid[UUID_SIZE];
    struct transcript transcript = {.file = -1};
    struct error error;
    int result;

    for (int option; (option = cli_option(&command_logs, argc, argv, ":fh", options)) != -1;) {
        following = following || option == 'f';
        raw = raw || option == 'r';
        if (option == 'a')
            attempt = read_attempt(optarg);
    }
    cli_operands(&command_logs, argc, 1, 1);
    if (raw && following)
        cli_usage_error(&command_logs, "--raw and -f exclude each other");
    if (attempt > 0 && !raw)
        cli_usage_error(&command_logs, "--attempt goes with --raw");
    cli_find(argv[optind], true, uuid);
    if (raw)
        return print_raw(uuid, attempt);
    transcript.folder = session_dir_open(cli_state_dir(), uuid, &error);
    if (transcript.folder < 0)
        return cli_error(argv[optind], &error);
    if (following) {
        result = copy_transcript(&transcript);
        result = result == 0 ? follow(uuid, &transcript) : result;
    } else if (running(uuid)) {
        result = live_text_print(uuid, transcript.folder);
    } else {
        result = copy_transcript(&transcript);
    }
    if (transcript.file >= 0)
        close(transcript.file);
    close(transcript.folder);
    return result == 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
