#include "cli/headless_printed.h"

#include <unistd.h>

#include "cli/cli.h"
#include "store/recording.h"
#include "store/session_dir.h"

#define STEP_BYTES (128 * 1024)

void headless_printed_init(struct headless_printed *printed)
{
    *printed = (struct headless_printed){.folder = -1, .attempt = 1};
    recording_text_init(&printed->text);
}

int headless_printed_open(struct headless_printed *printed, const char *uuid, struct error *error)
{
    printed->folder = session_dir_open(cli_state_dir(), uuid, error);
    return printed->folder < 0 ? -1 : 0;
}

void headless_printed_finish(struct headless_printed *printed)
{
    recording_text_finish(&printed->text);
    if (printed->folder >= 0)
        close(printed->folder);
    printed->folder = -1;
}

bool headless_printed_step(struct headless_printed *printed, unsigned attempt,
                           int (*line)(void *argument, const char *bytes, size_t length), void *argument)
{
    struct recording_event event;
    struct recording_reader *reader;
    struct error error;
    size_t taken = 0;
    int got = 0;

    if (printed->folder < 0)
        return false;
    if (attempt > printed->attempt) {
        printed->attempt = attempt;
        printed->offset = 0;
    }
    reader = recording_reader_attempt(printed->folder, printed->attempt, printed->offset, 0, &error);
    while (reader != NULL && taken < STEP_BYTES &&
           (got = recording_reader_next(reader, &event, &error)) > 0) {
        if (event.type == 'o')
            (void)recording_text_feed(&printed->text, event.text, event.length, line, argument);
        taken += event.length;
        printed->offset = event.next_offset;
    }
    recording_reader_destroy(reader);
    return got > 0;
}

void headless_printed_end(struct headless_printed *printed,
                          int (*line)(void *argument, const char *bytes, size_t length), void *argument)
{
    if (printed->folder >= 0)
        (void)recording_text_end(&printed->text, line, argument);
}
