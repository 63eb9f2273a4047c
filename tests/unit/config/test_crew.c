#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "config/crew.h"
#include "scratch.h"
#include "test.h"

static struct crew *load(const char *folder, const char *text, struct error *error)
{
    char *path = scratch_file(folder, CREW_FILE, text, strlen(text));
    struct crew *crew = crew_load(path, error);

    free(path);
    return crew;
}

/* The message from the file's own name on. */
static const char *message_of(const struct error *error)
{
    const char *found = strstr(error->text, CREW_FILE);

    return found != NULL ? found : error->text;
}

static const struct {
    const char *text, *message;
} refused[] = {
    {"{\n  \"sessions\": {\"a\": {}, \"a\": {}}\n}",
     "ganger.json:2: not valid JSON: duplicate object key near '\"a\"'"},
    {"{\n", "ganger.json:1: not valid JSON: string or '}' expected near end of file"},
    {" \n", "ganger.json: the file is empty: a crew has \"sessions\", see ganger-crew(5)"},
    {"{\"sessions\": {\"a\": {\"prompt\": \"x\\u0000\"}}}",
     "ganger.json:1: not valid JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"x\\u0000\"'"},
    {"", "ganger.json: the file is empty: a crew has \"sessions\", see ganger-crew(5)"},
    {"{}", "ganger.json:1: expected the key sessions"},
    {"[]", "ganger.json:1: expected an object, not a list"},
    {"{\"sesions\": {}}", "ganger.json:1: sesions: unknown key, expected one of description, defaults, "
                          "sessions (did you mean sessions?)"},
    {"{\"sessions\": {}}", "ganger.json:1: sessions: expected 1 to 200 sessions, not 0"},
    {"{\"sessions\": [\"a\"]}", "ganger.json:1: sessions: expected an object, not a list"},
    {"{\"sessions\": {\n\"../up\": {}}}",
     "ganger.json:2: sessions[\"../up\"]: expected a name of a letter or digit, then up to 62 letters, "
     "digits, dots, underscores and dashes"},
    {"{\"sessions\": {\"0b0f9ef4-3b9c-4b63-8a37-0b9a4c7d1e5f\": {}}}",
     "ganger.json:1: sessions.0b0f9ef4-3b9c-4b63-8a37-0b9a4c7d1e5f: expected a name of a letter or digit, "
     "then up to 62 letters, digits, dots, underscores and dashes"},
    {"{\"sessions\": {\"a\": {\"promt\": \"x\"}}}",
     "ganger.json:1: sessions.a.promt: unknown key, expected one of description, agent, account, mode, cwd, "
     "prompt, command, size, timeout_s (did you mean prompt?)"},
    {"{\"sessions\": {\"a\": {\n\"agent\": \"claud\"}}}",
     "ganger.json:2: sessions.a.agent: expected one of claude, codex, gemini, opencode, pi, qwen, command "
     "(did you mean claude?), not \"claud\""},
    {"{\"sessions\": {\"a\": {\"mode\": \"steam\"}}}",
     "ganger.json:1: sessions.a.mode: expected one of tui, stream (did you mean stream?), not \"steam\""},
    {"{\"sessions\": {\"a\": {\"cwd\": \"\"}}}",
     "ganger.json:1: sessions.a.cwd: expected a string that is not empty"},
    {"{\"sessions\": {\"a\": {\"timeout_s\": -1}}}",
     "ganger.json:1: sessions.a.timeout_s: expected a number from 0 to 10000000, not -1"},
    {"{\"sessions\": {\"a\": {\"prompt\": {\"fiel\": \"x\"}}}}",
     "ganger.json:1: sessions.a.prompt.fiel: unknown key, expected file (did you mean file?)"},
    {"{\"sessions\": {\"a\": {\"prompt\": {}}}}", "ganger.json:1: sessions.a.prompt: expected the key file"},
    {"{\"sessions\": {\"a\": {\"command\": []}}}",
     "ganger.json:1: sessions.a.command: expected a list that is not empty"},
    {"{\"sessions\": {\"a\": {\"command\": \"make\"}}}",
     "ganger.json:1: sessions.a.command: expected a list, not \"make\""},
    {"{\"sessions\": {\"a\": {\"command\": [\"\"]}}}",
     "ganger.json:1: sessions.a.command: expected the name of a program first, not an empty string"},
    {"{\"sessions\": {\"a\": {\"command\": [\"make\"], \"prompt\": \"x\"}}}",
     "ganger.json:1: sessions.a.prompt: expected either a prompt or a command, not both"},
    {"{\"sessions\": {\"a\": {\"command\": [\"make\"],\n\"agent\": \"claude\"}}}",
     "ganger.json:2: sessions.a.agent: expected either an agent or a command, not both"},
    {"{\"sessions\": {\"a\": {\"agent\": \"command\"}}}",
     "ganger.json:1: sessions.a.agent: expected the key command beside it"},
    {"{\"defaults\": {\"agent\": \"command\"}, \"sessions\": {\"a\": {}}}",
     "ganger.json:1: defaults.agent: expected an agent: a session's key command needs none"},
    {"{\"sessions\": {\"b\": {}, \"a\": {\n\n\"size\": \"1x1\"}}}",
     "ganger.json:3: sessions.a.size: expected COLUMNSxROWS from 2x2 to 1000x500, such as \"120x40\""},
    {"{\"defaults\": {\"size\": \"80x24 \"}, \"sessions\": {\"a\": {}}}",
     "ganger.json:1: defaults.size: expected COLUMNSxROWS from 2x2 to 1000x500, such as \"120x40\""},
};

TEST(bad_files_say_where_and_what_was_expected)
{
    char *folder = scratch_folder();

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error error = {0};
        struct crew *crew = load(folder, refused[i].text, &error);
        if (crew != NULL)
            TEST_FAIL("accepted: %s", refused[i].text);
        CHECK_STRING(message_of(&error), refused[i].message);
    }
    free(folder);
}

TEST(sessions_in_their_order_with_the_defaults)
{
    static const char text[] =
        "{\"defaults\": {\"agent\": \"claude\", \"account\": \"work\", \"size\": \"80x24\", \"timeout_s\": "
        "5},"
        " \"sessions\": {\"z\": {}, \"b\": {\"agent\": \"codex\", \"size\": \"100x30\", \"prompt\": \"hi\"},"
        " \"a\": {\"command\": [\"make\", \"watch\"], \"cwd\": \"sub\", \"timeout_s\": 0},"
        " \"c\": {\"agent\": \"claude\", \"mode\": \"stream\", \"cwd\": \"/etc\"}}}";
    char *folder = scratch_folder(), *expected = path_join(folder, "sub");
    struct error error;
    struct crew *crew = load(folder, text, &error);
    const struct crew_session *session;

    CHECK(crew != NULL && crew->count == 4);
    session = &crew->sessions[0];
    CHECK_STRING(session->name, "z");
    CHECK_STRING(session->agent, "claude");
    CHECK_STRING(session->account, "work");
    CHECK_STRING(session->folder, folder);
    CHECK(session->cols == 80 && session->rows == 24 && session->timeout_s > 4.9);
    CHECK(session->mode == NULL && session->prompt == NULL && session->command == NULL);
    session = &crew->sessions[1];
    CHECK_STRING(session->prompt, "hi");
    CHECK(session->account == NULL && session->cols == 100 && session->rows == 30);
    session = &crew->sessions[2];
    CHECK_STRING(session->name, "a");
    CHECK_STRING(session->command[1], "watch");
    CHECK_STRING(session->folder, expected);
    CHECK(session->agent == NULL && session->account == NULL && session->command[2] == NULL);
    CHECK(session->timeout_s < 0.1);
    session = &crew->sessions[3];
    CHECK_STRING(session->account, "work");
    CHECK_STRING(session->mode, "stream");
    CHECK_STRING(session->folder, "/etc");
    crew_destroy(crew);
    free(expected);
    free(folder);
}

TEST(a_prompt_from_a_file)
{
    static const char text[] = "{\"sessions\": {\"a\": {\"prompt\": {\"file\": \"p.md\"}}}}";
    char *folder = scratch_folder(), *whole = scratch_file(folder, "p.md", "do\nit\n\n", 7);
    struct error error;
    struct crew *crew = load(folder, text, &error);

    CHECK(crew != NULL);
    CHECK_STRING(crew->sessions[0].prompt, "do\nit");
    crew_destroy(crew);
    free(scratch_file(folder, "p.md", "\xFF", 1));
    CHECK(load(folder, text, &error) == NULL && strstr(error.text, "is not text in UTF-8") != NULL);
    free(scratch_file(folder, "p.md", "\n", 1));
    CHECK(load(folder, text, &error) == NULL && strstr(error.text, "p.md is empty") != NULL);
    CHECK(unlink(whole) == 0);
    CHECK(load(folder, text, &error) == NULL);
    CHECK(strstr(error.text, "sessions.a.prompt.file: cannot open") != NULL);
    free(whole);
    free(folder);
}

TEST(the_home_directory)
{
    struct error error;
    char *folder = scratch_folder(), *home = xstrdup(getenv("HOME") != NULL ? getenv("HOME") : "");
    struct crew *crew;

    CHECK(setenv("HOME", "/home/me", 1) == 0);
    crew = load(folder, "{\"sessions\": {\"a\": {\"cwd\": \"~/api\"}, \"b\": {\"cwd\": \"~x\"}}}", &error);
    CHECK(setenv("HOME", home, 1) == 0);
    CHECK(crew != NULL);
    CHECK_STRING(crew->sessions[0].folder, "/home/me/api");
    CHECK(strstr(crew->sessions[1].folder, "/~x") != NULL);
    crew_destroy(crew);
    free(home);
    free(folder);
}

TEST(many_sessions)
{
    char *folder = scratch_folder();

    for (int count = CREW_SESSIONS_MAX; count <= CREW_SESSIONS_MAX + 1; count++) {
        struct buffer text = {0};
        struct error error;
        struct crew *crew;
        buffer_append_string(&text, "{\"sessions\": {");
        for (int i = 0; i < count; i++)
            buffer_printf(&text, "%s\"s%d\": {}", i > 0 ? ", " : "", i);
        buffer_append_string(&text, "}}");
        crew = load(folder, text.bytes, &error);
        CHECK(count > CREW_SESSIONS_MAX ? crew == NULL : crew != NULL && crew->count == (size_t)count);
        crew_destroy(crew);
        buffer_finish(&text);
    }
    free(folder);
}

TEST(a_crew_is_known_by_the_file_that_links_lead_to)
{
    char *folder = scratch_folder(), *other = scratch_folder();
    char *path = scratch_file(folder, CREW_FILE, "{\"sessions\": {\"a\": {}}}", 23);
    char *link = path_join(other, "crew.json"), *real;
    struct error error;
    struct crew *crew;

    CHECK(symlink(path, link) == 0);
    crew = crew_load(link, &error);
    CHECK(crew != NULL);
    CHECK_STRING(crew->path, path);
    CHECK_STRING(crew->sessions[0].folder, folder);
    crew_destroy(crew);
    CHECK(unlink(path) == 0);
    real = crew_path(path, &error);
    CHECK_STRING(real, path);
    free(real);
    CHECK(crew_load(path, &error) == NULL && error.code == ENOENT);
    CHECK(crew_load(folder, &error) == NULL && strstr(error.text, "Is a directory") != NULL);
    CHECK(crew_path("/nowhere/at/all.json", &error) == NULL && error.code == ENOENT);
    free(path);
    free(link);
    free(folder);
    free(other);
}

TEST_MAIN
