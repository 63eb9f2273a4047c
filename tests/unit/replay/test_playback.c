#include "replay/playback.h"

#include "test.h"

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

TEST(position_moves_with_the_speed_and_stops_at_the_next_event)
{
    struct playback playback = {.position = 10, .speed = 2, .playing = true};

    CHECK(near(playback_advance(&playback, 1, 10, 15), 0));
    CHECK(near(playback.position, 12));
    CHECK(near(playback_wait(&playback, 10, 15), 1.5));
    CHECK(near(playback_advance(&playback, 2, 10, 15), 0.5));
    CHECK(near(playback.position, 15));
}

TEST(nothing_moves_while_paused_or_at_the_end)
{
    struct playback playback = {.position = 10, .speed = 2};

    CHECK(near(playback_advance(&playback, 5, 10, 15), 0));
    CHECK(near(playback.position, 10));
    playback.playing = true;
    CHECK(near(playback_advance(&playback, 5, 10, -1), 0));
    CHECK(near(playback.position, 10));
}

TEST(long_pauses_are_cut)
{
    struct playback playback = {.position = 10, .speed = 1, .idle = 3, .skipping = true, .playing = true};

    CHECK(near(playback_wait(&playback, 10, 3610), 3));
    CHECK(near(playback_advance(&playback, 2, 10, 3610), 0));
    CHECK(near(playback.position, 12));
    CHECK(near(playback_advance(&playback, 2, 10, 3610), 1));
    CHECK(near(playback.position, 3610));
    playback.skipping = false;
    CHECK(near(playback_wait(&playback, 3610, 7210), 3600));
}

TEST(a_position_beyond_the_cut_goes_on_at_once)
{
    struct playback playback = {.position = 100, .speed = 1, .idle = 3, .skipping = true, .playing = true};

    CHECK(near(playback_wait(&playback, 10, 3610), 0));
    (void)playback_advance(&playback, 0, 10, 3610);
    CHECK(near(playback.position, 3610));
}

TEST(speeds_follow_each_other)
{
    CHECK(near(playback_speed_step(1, 1), 2));
    CHECK(near(playback_speed_step(1, -1), 0.5));
    CHECK(near(playback_speed_step(0.25, -1), 0.25));
    CHECK(near(playback_speed_step(512, 1), 1000));
    CHECK(near(playback_speed_step(1000, 1), 1000));
    CHECK(near(playback_speed_step(1000, -1), 512));
    CHECK(near(playback_speed_step(3, 1), 4));
    CHECK(near(playback_speed_step(3, -1), 2));
}

TEST(times_as_people_write_them)
{
    static const struct {
        const char *text;
        double seconds; /* below 0: no time */
    } cases[] = {
        {"0", 0},      {"90", 90},        {"12.5", 12.5},   {".5", 0.5},
        {"1:30", 90},  {"1:02:03", 3723}, {"0:00.25", .25}, {"40%", 80},
        {"100%", 200}, {"+5", 105},       {"-5", 95},       {"-1:00", 40},
        {"-500", 0},   {"12s", 12},       {"+10%", 120},    {"", -1},
        {":", -1},     {"1:", -1},        {"abc", -1},      {"1:2:3:4", -1},
        {"99:99", -1}, {"1:60:00", -1},   {"90:00", 5400},  {"1e9", -1},
        {"1:40%", -1}, {"1 2", -1},       {"+", -1},        {"9999999999999999999999", PLAYBACK_TIME_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds = -1;
        int result = playback_parse_time(cases[i].text, 100, 200, &seconds);
        if ((result < 0) != (cases[i].seconds < 0) || (result == 0 && !near(seconds, cases[i].seconds)))
            TEST_FAIL("\"%s\" gives %d, %f", cases[i].text, result, seconds);
    }
}

TEST(times_are_written_short)
{
    char text[PLAYBACK_TIME_SIZE], speed[PLAYBACK_SPEED_SIZE];

    playback_format_time(5.9, text);
    CHECK_STRING(text, "0:05");
    playback_format_time(3725, text);
    CHECK_STRING(text, "1:02:05");
    playback_format_time(-1, text);
    CHECK_STRING(text, "0:00");
    playback_format_speed(0.25, speed);
    CHECK_STRING(speed, "0.25x");
    playback_format_speed(1000, speed);
    CHECK_STRING(speed, "1000x");
}

TEST_MAIN
