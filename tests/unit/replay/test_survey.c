#include "replay/survey.h"

#include "recorded.h"
#include "replay/keys.h"
#include "test.h"

TEST(length_markers_and_what_is_added_later)
{
    struct recorded recorded;
    struct survey survey;
    struct error error;

    recorded_begin(&recorded, 80, 24);
    recorded_output(&recorded, 1, "a");
    recorded_marker(&recorded, 2, "approval: Bash");
    recorded_output(&recorded, 7, "b");
    CHECK(recorded_write(&recorded));
    CHECK_NUMBER(survey_init(&survey, &recorded.source, &error), 0);
    CHECK(!survey_step(&survey, INT64_MAX));
    CHECK(survey.complete && !survey.torn);
    CHECK_NUMBER((int)survey_total(&survey, 0), 7);
    CHECK_NUMBER((int)survey_total(&survey, 9), 9);
    CHECK_NUMBER(survey.markers.count, 1);
    CHECK_NUMBER(survey.markers.entries[0].event, 1);
    CHECK(!survey_more(&survey));
    recorded_marker(&recorded, 8, "error: x");
    buffer_append_string(&recorded.bytes, "[9,\"o\",\"to");
    CHECK(recorded_write(&recorded));
    CHECK(survey_more(&survey));
    CHECK(!survey_step(&survey, INT64_MAX));
    CHECK_NUMBER((int)survey_total(&survey, 0), 8);
    CHECK_NUMBER(survey.markers.count, 2);
    CHECK_NUMBER(survey.markers.entries[1].event, 3);
    CHECK(survey.torn);
    survey_finish(&survey);
    recorded_end(&recorded);
}

TEST(the_length_is_guessed_while_it_is_read)
{
    struct recorded recorded;
    struct survey survey;
    struct error error;

    recorded_begin(&recorded, 80, 24);
    for (int i = 1; i <= 20000; i++)
        recorded_output(&recorded, i, "some output of a program");
    CHECK(recorded_write(&recorded));
    CHECK_NUMBER(survey_init(&survey, &recorded.source, &error), 0);
    CHECK(survey_step(&survey, 0));
    CHECK(!survey.complete);
    CHECK(survey_total(&survey, 0) > 15000 && survey_total(&survey, 0) < 25000);
    CHECK(!survey_step(&survey, INT64_MAX));
    CHECK_NUMBER((int)survey_total(&survey, 0), 20000);
    survey_finish(&survey);
    recorded_end(&recorded);
}

TEST(keys)
{
    CHECK_NUMBER(keys_bound((struct key){.code = ' '}).action, ACTION_PLAY);
    CHECK_NUMBER(keys_bound((struct key){.code = '7'}).argument, 70);
    CHECK_NUMBER(keys_bound((struct key){.code = 'A'}).argument, -1 - MARKER_APPROVAL);
    CHECK_NUMBER(keys_bound((struct key){.code = 'M'}).argument, -1);
    CHECK_NUMBER(keys_bound((struct key){.code = 'q', .modifiers = KEY_ALT}).action, ACTION_NONE);
}

TEST_MAIN
