#include "replay/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "replay/playback.h"

#define EVENTS_AT_ONCE 256 /* between two looks at the clock */
#define TITLE_MAX 200

static int open_reader(struct survey *survey, struct error *error)
{
    uint64_t stamp = source_stamp(survey->source);
    bool seekable = survey->source->seekable;

    survey->reader = source_open(survey->source, seekable ? survey->offset : 0, error);
    if (survey->reader == NULL)
        return -1;
    survey->stamp = stamp;
    survey->skip = seekable ? 0 : survey->event;
    survey->length = recording_reader_length(survey->reader);
    survey->complete = false;
    return 0;
}

int survey_init(struct survey *survey, const struct source *source, struct error *error)
{
    const char *title;

    *survey = (struct survey){.source = source};
    if (open_reader(survey, error) < 0)
        return -1;
    title = recording_reader_title(survey->reader);
    survey->title = title == NULL ? NULL : marker_clean(title, strlen(title), TITLE_MAX);
    return 0;
}

void survey_finish(struct survey *survey)
{
    recording_reader_destroy(survey->reader);
    markers_finish(&survey->markers);
    free(survey->title);
    *survey = (struct survey){.source = NULL};
}

static void note(struct survey *survey, const struct recording_event *event)
{
    if (survey->skip > 0) {
        survey->skip--;
        return;
    }
    survey->seconds = playback_monotonic(survey->seconds, event->seconds);
    if (event->type == 'm')
        markers_add(&survey->markers, survey->event, survey->seconds, event->text, event->length);
    survey->event++;
    survey->offset = event->next_offset;
}

bool survey_step(struct survey *survey, int64_t deadline_ns)
{
    struct recording_event event;

    while (survey->reader != NULL) {
        for (int i = 0; i < EVENTS_AT_ONCE && survey->reader != NULL; i++) {
            if (recording_reader_next(survey->reader, &event, NULL) == 1) {
                note(survey, &event);
                continue;
            }
            survey->torn = recording_reader_torn(survey->reader);
            survey->left_out =
                (survey->source->seekable ? survey->left_out : 0) + recording_reader_left_out(survey->reader);
            recording_reader_destroy(survey->reader);
            survey->reader = NULL;
            survey->complete = true;
        }
        if (clock_monotonic_ns() >= deadline_ns)
            break;
    }
    return survey->reader != NULL;
}

bool survey_more(struct survey *survey)
{
    if (survey->reader != NULL || source_stamp(survey->source) == survey->stamp)
        return false;
    if (open_reader(survey, NULL) < 0)
        survey->complete = true;
    return true;
}

double survey_total(const struct survey *survey, double least)
{
    double total = survey->seconds;

    if (!survey->complete && survey->length > 0 && survey->offset > 0 && survey->offset < survey->length)
        total *= (double)survey->length / (double)survey->offset;
    return total > least ? total : least;
}
