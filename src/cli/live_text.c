#include "cli/live_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "store/session_dir.h"
#include "store/transcript_mark.h"

#define LINES_AT_ONCE 500

/* The first `length` bytes of the transcript: what the mark speaks of. */
static int copy_transcript(int session_dir, uint64_t length)
{
    int file = openat(session_dir, SESSION_TRANSCRIPT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char bytes[16384];

    if (file < 0)
        return length == 0 ? 0 : -1;
    while (length > 0) {
        ssize_t got = read(file, bytes, length < sizeof bytes ? (size_t)length : sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || fwrite(bytes, 1, (size_t)got, stdout) != (size_t)got)
            break;
        length -= (uint64_t)got;
    }
    close(file);
    return length == 0 ? 0 : -1;
}

static void print_line(const json_t *line)
{
    size_t index;
    const json_t *run;
    struct buffer text;

    buffer_init(&text);
    buffer_append(&text, "", 0);
    json_array_foreach(json_array_get(line, 1), index, run)
    {
        const json_t *part = json_array_get(run, 2);
        if (json_is_string(part))
            buffer_append(&text, json_string_value(part), json_string_length(part));
    }
    while (text.length > 0 && text.bytes[text.length - 1] == ' ')
        text.length--;
    (void)fwrite(text.bytes, 1, text.length, stdout);
    (void)putchar('\n');
    buffer_finish(&text);
}

static void print_screen(const json_t *screen)
{
    const char *text = json_member_string(screen, "text", "");
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0)
        (void)printf("%.*s\n", (int)length, text);
}

/* The answer to a request: its result, owned by the caller, or NULL and the error. */
static json_t *answer(struct client *client, uint64_t id, struct error *error)
{
    char *line;
    size_t length;

    for (;;) {
        while (client_line(client, &line, &length)) {
            json_t *message = json_loadb(line, length, 0, NULL), *result = NULL;
            bool found = json_member_integer(message, "id", -1) == (int64_t)id;
            if (found && (result = json_incref(json_object_get(message, "result"))) == NULL)
                (void)error_set(
                    error, "%s",
                    json_member_string(json_object_get(message, "error"), "message", "no result"));
            json_decref(message);
            if (found)
                return result;
        }
        if (client_wait(client, CLI_CALL_TIMEOUT_MS, error) <= 0)
            return NULL;
    }
}

/*
 * Both questions go out in one piece and are answered at one moment, so that no line can leave the screen in between. The
 * screen belongs to the answer that reaches the end of the scrollback.
 */
static int print_rest(struct client *client, uint64_t next, struct error *error)
{
    const uint64_t file_end = next;

    for (;;) {
        uint64_t first_id = client_send(
            client, "scrollback.get",
            json_pack("{s:I, s:i, s:b}", "from", (json_int_t)next, "count", LINES_AT_ONCE, "masked", 1));
        uint64_t second_id = client_send(
            client, "screen.get",
            json_pack("{s:s, s:I, s:b}", "format", "lines", "from", (json_int_t)file_end, "masked", 1));
        json_t *lines = answer(client, first_id, error);
        json_t *screen = lines == NULL ? NULL : answer(client, second_id, error);
        const json_t *line;
        size_t index;
        bool whole = false, open;
        uint64_t end;

        /* The rest of an open line is on the screen, which comes with all of it. */
        open = json_member_bool(lines, "open", 0);
        end = (uint64_t)json_member_integer(lines, "end", 0);
        json_array_foreach(json_object_get(lines, "lines"), index, line)
        {
            next = (uint64_t)json_integer_value(json_array_get(line, 0)) + 1;
            if (next < end || !open)
                print_line(line);
        }
        whole = lines != NULL && (index == 0 || next >= end);
        if (whole && screen != NULL)
            print_screen(screen);
        json_decref(lines);
        json_decref(screen);
        if (whole || screen == NULL)
            return screen == NULL ? -1 : 0;
    }
}

int live_text_print(const char *uuid, int session_dir)
{
    struct transcript_mark mark = {0};
    struct error error = {0};
    struct client *client = cli_connect(uuid, &error);
    json_t *session =
        client == NULL ? NULL : client_call(client, "session.get", NULL, CLI_CALL_TIMEOUT_MS, &error);
    int result = -1;

    if (session != NULL) {
        (void)transcript_mark_read(session_dir, &mark);
        if (copy_transcript(session_dir, mark.length) < 0)
            (void)error_errno(&error, "cannot read the transcript");
        else
            result = print_rest(
                client, mark.attempt == json_member_integer(session, "attempt", 0) ? mark.next_line : 0,
                &error);
    }
    /* What cannot be written is told where every command's output is. */
    if (result < 0 && !ferror(stdout))
        (void)cli_error("logs", &error);
    json_decref(session);
    client_destroy(client);
    return result;
}
