/* The lines of a headless run: what is said of events, and when nothing happens. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/headless_tell.h"
#include "test.h"

static int64_t now_ms = 1795269600000; /* 2026-11-21T14:00:00Z */

static int64_t realtime(void)
{
    return now_ms;
}

static int64_t monotonic(void)
{
    return now_ms * 1000000;
}

struct scene {
    struct headless_output output;
    struct headless_log log;
    struct headless_state state;
    struct headless_teller teller;
};

static void scene_begin(struct scene *scene, const char *name)
{
    json_t *session =
        json_pack("{ss ss ss ss}", "name", name, "agent", "claude", "mode", "stream", "cwd", "/w");

    (void)setenv("TZ", "UTC", 1);
    clock_inject(realtime, monotonic);
    headless_output_init(&scene->output);
    headless_log_init(&scene->log, &scene->output, 4);
    headless_state_init(&scene->state, session);
    headless_teller_init(&scene->teller, &scene->log, &scene->state);
    json_decref(session);
}

static void scene_end(struct scene *scene)
{
    headless_teller_finish(&scene->teller);
    headless_state_finish(&scene->state);
    headless_output_finish(&scene->output);
    clock_inject(NULL, NULL);
}

/* An event at this moment; members of JSON without braces, with ' for ". */
static void event(struct scene *scene, const char *type, const char *members)
{
    char time[CLOCK_RFC3339_SIZE], text[4096];
    json_t *object;

    clock_format_rfc3339(now_ms, time);
    (void)snprintf(text, sizeof text, "{'time': '%s', 'type': '%s', 'attempt': 1%s%s}", time, type,
                   *members != '\0' ? ", " : "", members);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    object = json_loads(text, 0, NULL);
    CHECK(object != NULL);
    headless_teller_event(&scene->teller, object);
    headless_state_event(&scene->state, object);
    json_decref(object);
}

/* What was said since. */
static const char *said(struct scene *scene)
{
    static char text[16384];

    (void)snprintf(text, sizeof text, "%s",
                   scene->output.pending.length == 0 ? "" : scene->output.pending.bytes);
    buffer_clear(&scene->output.pending);
    return text;
}

TEST(words_are_gathered_into_rows)
{
    struct scene scene;

    scene_begin(&scene, "one");
    event(&scene, "text", "'text': 'Hello, '");
    CHECK_STRING(said(&scene), "");
    event(&scene, "text", "'text': 'world.\\nAnd more'");
    CHECK_STRING(said(&scene), "14:00:00  one   Hello, world.\n");
    event(&scene, "text", "'text': ' of it\\n\\n    indented'");
    CHECK_STRING(said(&scene), "                And more of it\n");
    event(&scene, "turn_ended", "'turn': 1, 'outcome': 'completed'");
    CHECK_STRING(said(&scene), "                    indented\n14:00:00  one   turn 1: completed\n");
    scene_end(&scene);
}

TEST(a_long_line_is_told_as_it_grows)
{
    struct scene scene;

    scene_begin(&scene, "one");
    for (int i = 0; i < 9; i++)
        event(&scene, "text", "'text': 'ten bytes '");
    CHECK_STRING(said(&scene),
                 "14:00:00  one   ten bytes ten bytes ten bytes ten bytes ten bytes ten bytes ten bytes "
                 "ten bytes ten\n");
    event(&scene, "session_ended", "'state': 'completed', 'last_error': null");
    CHECK_STRING(said(&scene), "                bytes\n14:00:00  one   completed after 0s\n");
    scene_end(&scene);
}

/* In a log, where words are searched for; a terminal breaks it. */
TEST(a_word_longer_than_a_row_stays_whole)
{
    struct scene scene;
    char word[201], members[256], expected[512];

    scene_begin(&scene, "one");
    memset(word, 'a', 200);
    word[200] = '\0';
    (void)snprintf(members, sizeof members, "'text': 'see %s there\\n'", word);
    (void)snprintf(expected, sizeof expected, "14:00:00  one   see\n%16s%s\n%16sthere\n", "", word, "");
    event(&scene, "text", members);
    CHECK_STRING(said(&scene), expected);
    scene.log.terminal = true;
    event(&scene, "text", members);
    CHECK(strstr(said(&scene), word) == NULL);
    memcpy(word + 10, "/usr", 4);
    (void)snprintf(members, sizeof members, "'text': 'see %s there\\n'", word);
    event(&scene, "text", members);
    CHECK(strstr(said(&scene), word) != NULL);
    scene_end(&scene);
}

TEST(what_an_agent_says_cannot_draw)
{
    struct scene scene;

    scene_begin(&scene, "one");
    event(&scene, "text", "'text': 'a\\u001b[2Jb\\u202ec\\r\\n'");
    CHECK_STRING(said(&scene), "14:00:00  one   a?[2Jb?c\n");
    event(&scene, "tool_call", "'tool': 'Ba\\u0007sh', 'tool_id': 't', 'summary': 'two\\nlines'");
    CHECK_STRING(said(&scene), "14:00:00  one   Ba?sh: two lines\n");
    event(&scene, "stderr", "'text': '\\u001b[1;31mred\\u001b[0m \\u001b[2Jx\\u001b['");
    CHECK_STRING(said(&scene), "14:00:00  one   stderr: red x?[\n");
    scene_end(&scene);
}

TEST(wide_characters_take_two_columns)
{
    struct scene scene;
    const char *text;

    scene_begin(&scene, "one");
    event(&scene, "text",
          "'text': "
          "'漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
          "\\n'");
    text = said(&scene);
    CHECK_NUMBER(strchr(text, '\n') - text, 16 + 42 * 3);
    scene_end(&scene);
}

TEST(tools_are_told_with_their_result)
{
    struct scene scene;

    scene_begin(&scene, "one");
    event(&scene, "tool_call", "'tool': 'Bash', 'tool_id': 't', 'summary': 'make'");
    now_ms += 65000;
    event(&scene, "tool_result", "'tool_id': 't', 'failed': true, 'output': 'no rule\\nto make'");
    CHECK_STRING(said(&scene),
                 "14:00:00  one   Bash: make\n14:01:05  one   Bash failed after 1m05s: no rule\n");
    now_ms -= 65000;
    scene_end(&scene);
}

TEST(silence_is_told_every_half_minute)
{
    struct scene scene;

    scene_begin(&scene, "one");
    event(&scene, "turn_started", "'turn': 1");
    event(&scene, "phase", "'phase': 'tool'");
    event(&scene, "tool_call", "'tool': 'Bash', 'tool_id': 't', 'summary': 'make'");
    (void)said(&scene);
    CHECK_NUMBER(headless_teller_due(&scene.teller), 30000);
    now_ms += 29999;
    headless_teller_tick(&scene.teller);
    CHECK_STRING(said(&scene), "");
    now_ms += 1;
    headless_teller_tick(&scene.teller);
    headless_teller_tick(&scene.teller);
    CHECK_STRING(said(&scene), "14:00:30  one   still running: Bash 30s\n");
    now_ms -= 30000;
    scene_end(&scene);
}

TEST(a_wait_is_counted_down_sparsely)
{
    struct scene scene;
    char members[128], until[CLOCK_RFC3339_SIZE];
    int64_t began = now_ms;
    int lines = 0;

    scene_begin(&scene, "one");
    clock_format_rfc3339(now_ms + 3600000, until);
    (void)snprintf(members, sizeof members, "'phase': 'limited', 'until': '%s'", until);
    event(&scene, "phase", members);
    headless_teller_tick(&scene.teller);
    CHECK_STRING(said(&scene), "14:00:00  one   limited: goes on in 1h00m (15:00)\n");
    while (headless_teller_due(&scene.teller) >= 0) {
        now_ms += headless_teller_due(&scene.teller);
        headless_teller_tick(&scene.teller);
        lines++;
    }
    CHECK_NUMBER(lines, 9); /* at 50, 40, 30, 20, 10, 5, 2.5, 1.25 minutes and the last one */
    CHECK(strstr(said(&scene), "goes on in 1m00s (15:00)\n") != NULL);
    now_ms = began;
    scene_end(&scene);
}

TEST(exit_codes_follow_the_error)
{
    static const struct {
        const char *state, *class;
        int code;
    } cases[] = {
        {"completed", NULL, 0},        {"failed", "rate_limit", 75}, {"failed", "authentication", 77},
        {"failed", "billing", 1},      {"failed", NULL, 1},          {"timeout", "timeout", 124},
        {"cancelled", NULL, 130},      {"killed", NULL, 137},        {"lost", NULL, 1},
        {"completed", "rate_limit", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *object =
            json_pack("{ss s{ss?}}", "phase", cases[i].state, "last_error", "class", cases[i].class);
        struct headless_state state;
        headless_state_init(&state, object);
        headless_state_settle(&state, object);
        CHECK_NUMBER(headless_state_exit(&state), cases[i].code);
        headless_state_finish(&state);
        json_decref(object);
    }
}

TEST_MAIN
