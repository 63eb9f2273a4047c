#include "replay/job.h"

#include "recorded.h"
#include "test.h"

#define FOREVER INT64_MAX

/* 400 lines "line N", a tenth of a second apart, on 20x5. */
static bool lines(struct recorded *recorded)
{
    char text[32];

    recorded_begin(recorded, 20, 5);
    for (int i = 0; i < 400; i++) {
        (void)snprintf(text, sizeof text, "%sline %d", i == 0 ? "" : "\r\n", i);
        recorded_output(recorded, i / 10.0, text);
    }
    return recorded_write(recorded);
}

static struct track *open_track(struct recorded *recorded, size_t spacing, size_t memory)
{
    struct track_options options = {.spacing = spacing, .memory = memory};
    struct error error;

    return track_create(&recorded->source, &options, &error);
}

static enum job_result finish(struct job *job, struct track *track)
{
    struct error error;

    return job_step(job, track, FOREVER, &error);
}

static bool shows(const struct track *track, const char *expected)
{
    char *screen = recorded_screen(track);
    bool same = strcmp(screen, expected) == 0;

    if (!same)
        printf("# %s\n", screen);
    free(screen);
    return same;
}

TEST(any_time_shows_what_was_drawn_until_then)
{
    static const double order[] = {3.05, 39.9, 0, 0.5, 20.0, 19.95, 12.34, 500, 3.05};
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};

    CHECK(lines(&recorded));
    track = open_track(&recorded, 500, 0);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        int last = order[i] > 39.9 ? 399 : (int)(order[i] * 10 + 1e-6);
        struct buffer expected;
        buffer_init(&expected);
        for (int line = last < 4 ? 0 : last - 4, row = 0; row < 5; line++, row++) {
            if (line <= last)
                buffer_printf(&expected, "line %d", line);
            buffer_append_char(&expected, '\n');
        }
        job_go_time(&job, order[i]);
        CHECK_NUMBER(finish(&job, track), JOB_DONE);
        CHECK(shows(track, expected.bytes));
        CHECK_NUMBER(track_event(track), last + 1);
        buffer_finish(&expected);
    }
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST(checkpoints_are_thinned_out_and_every_place_stays_within_reach)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};
    size_t bytes;

    CHECK(lines(&recorded));
    track = open_track(&recorded, 200, (size_t)64 << 10);
    job_go_event(&job, UINT64_MAX);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK(track_checkpoints(track, &bytes) > 2);
    CHECK(bytes <= (size_t)64 << 10);
    for (uint64_t event = 400; event > 0; event -= 25) {
        job_go_event(&job, event);
        CHECK_NUMBER(finish(&job, track), JOB_DONE);
        CHECK_NUMBER(track_event(track), event);
        CHECK_NUMBER((int)(track_seconds(track) * 10 + 0.5), event - 1);
    }
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

static enum job_result search(struct job *job, struct track *track, const char *text, int direction)
{
    job_search(job, track, text, direction);
    return finish(job, track);
}

TEST(text_is_found_when_it_appears_forward_and_backward)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};

    CHECK(lines(&recorded));
    track = open_track(&recorded, 500, 0);
    CHECK_NUMBER(search(&job, track, "Line 7", 1), JOB_MISSING); /* case counts */
    CHECK_NUMBER(track_event(track), 0);
    CHECK_NUMBER(search(&job, track, "line 27", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 28);
    CHECK_NUMBER(search(&job, track, "line 27", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 271);
    CHECK_NUMBER(search(&job, track, "line 39", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 391);
    CHECK_NUMBER(search(&job, track, "nothing", 1), JOB_MISSING);
    CHECK_NUMBER(track_event(track), 391);
    CHECK_NUMBER(search(&job, track, "line 27", -1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 280);
    CHECK_NUMBER(search(&job, track, "line 279", -1), JOB_MISSING);
    CHECK_NUMBER(search(&job, track, "line 27", -1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 279);
    CHECK_NUMBER(search(&job, track, "line 4", -1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 50);
    CHECK_NUMBER(search(&job, track, "nothing", -1), JOB_MISSING);
    CHECK_NUMBER(track_event(track), 50);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

/* One event may hold many screens. */
TEST(text_that_scrolled_through_within_one_event_is_found)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};
    struct buffer flood;

    buffer_init(&flood);
    for (int i = 0; i < 5000; i++)
        buffer_printf(&flood, "%d%s\r\n", i, i == 77 ? " needle" : "");
    recorded_begin(&recorded, 20, 5);
    recorded_output(&recorded, 1, "before");
    recorded_output(&recorded, 2, flood.bytes);
    recorded_output(&recorded, 3, "after");
    CHECK(recorded_write(&recorded));
    track = open_track(&recorded, 0, 0);
    CHECK_NUMBER(search(&job, track, "needle", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 2);
    CHECK_NUMBER(search(&job, track, "needle", 1), JOB_MISSING);
    CHECK_NUMBER(search(&job, track, "after", 1), JOB_DONE);
    CHECK_NUMBER(search(&job, track, "needle", -1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 2);
    buffer_finish(&flood);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST(text_that_is_redrawn_or_wrapped_counts_once)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};

    recorded_begin(&recorded, 10, 5);
    recorded_output(&recorded, 1, "a spinner: working");
    recorded_output(&recorded, 2, "\033[H\033[2Ka spinner: working");
    recorded_output(&recorded, 3, "\033[?2026h\033[2J\033[H");
    recorded_output(&recorded, 4, "a spinner: working\033[?2026l");
    recorded_output(&recorded, 5, "\033[2J");
    recorded_output(&recorded, 6, "\033[Ha spinner: working");
    CHECK(recorded_write(&recorded));
    track = open_track(&recorded, 0, 0);
    CHECK_NUMBER(search(&job, track, "ner: wo", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 1);
    CHECK_NUMBER(search(&job, track, "ner: wo", 1), JOB_DONE);
    CHECK_NUMBER(track_event(track), 6);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST(a_search_that_is_given_up_goes_back)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};
    struct error error;

    CHECK(lines(&recorded));
    track = open_track(&recorded, 500, 0);
    job_go_event(&job, 100);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    job_search(&job, track, "nothing", 1);
    CHECK_NUMBER(job_step(&job, track, 0, &error), JOB_BUSY);
    CHECK(track_event(track) > 100);
    job_cancel(&job);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK_NUMBER(track_event(track), 100);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST(times_that_go_back_or_are_none_count_as_the_one_before)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};

    recorded_begin(&recorded, 10, 2);
    recorded_output(&recorded, 5, "a");
    recorded_output(&recorded, 2, "b");
    buffer_append_string(&recorded.bytes, "[-7,\"o\",\"c\"]\n[6,\"r\",\"0x0\"]\n[6,\"r\",\"100000x3\"]\n");
    recorded_output(&recorded, 8, "d");
    CHECK(recorded_write(&recorded));
    track = open_track(&recorded, 0, 0);
    job_go_time(&job, 4);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK_NUMBER(track_event(track), 0);
    job_go_time(&job, 5);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK_NUMBER(track_event(track), 3);
    job_go_time(&job, 9);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK_NUMBER(terminal_cols(track_terminal(track)), TERMINAL_COLS_MAX);
    CHECK_NUMBER((int)track_seconds(track), 8);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST(what_is_written_meanwhile_is_played)
{
    struct recorded recorded;
    struct track *track;
    struct job job = {.kind = JOB_NONE};
    struct error error;

    recorded_begin(&recorded, 10, 2);
    recorded_output(&recorded, 1, "one");
    CHECK(recorded_write(&recorded));
    track = open_track(&recorded, 0, 0);
    job_go_event(&job, UINT64_MAX);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK(shows(track, "one\n\n"));
    recorded_output(&recorded, 2, " two");
    CHECK(recorded_write(&recorded));
    CHECK_NUMBER(track_more(track, &error), 0);
    job_go_event(&job, UINT64_MAX);
    CHECK_NUMBER(finish(&job, track), JOB_DONE);
    CHECK(shows(track, "one two\n\n"));
    CHECK_NUMBER(track_event(track), 2);
    job_finish(&job);
    track_destroy(track);
    recorded_end(&recorded);
}

TEST_MAIN
