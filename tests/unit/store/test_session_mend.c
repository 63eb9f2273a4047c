#include "store/session_mend.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "store/session_dir.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"

static char *make(const char *state, const char *phase)
{
    json_t *session = json_pack("{ss ss ss}", "id", A, "name", "one", "phase", phase);

    if (session_dir_create(state, A, "one", session, NULL) < 0)
        abort();
    json_decref(session);
    return session_dir_path(state, A);
}

static void put(const char *folder, const char *name, const char *text)
{
    free(scratch_file(folder, name, text, strlen(text)));
}

static char *text_of(const char *folder, const char *name)
{
    char *path = path_join(folder, name), *text = NULL;
    size_t length;

    if (path_read_file(path, 1 << 20, &text, &length, NULL) < 0)
        text = xstrdup("(none)");
    free(path);
    return text;
}

#define CHECK_TEXT(folder, name, expected)                                                                   \
    do {                                                                                                     \
        char *text_ = text_of(folder, name);                                                                 \
        bool same_ = strcmp(text_, expected) == 0;                                                           \
        free(text_);                                                                                         \
        CHECK(same_);                                                                                        \
    } while (0)

TEST(nothing_is_wrong)
{
    char *state = scratch_folder(), *folder = make(state, "completed");
    struct session_faults faults;
    struct error error;

    put(folder, "events.jsonl", "{}\n");
    put(folder, "attempt-1.cast", "");
    put(folder, "notes", "of somebody, without a line feed");
    CHECK(!session_inspect(state, A, &faults, &error));
    CHECK_NUMBER(session_mend(state, A, &error), 0);
    free(folder);
    free(state);
}

TEST(torn_files_are_cut_after_their_last_line)
{
    char *state = scratch_folder(), *folder = make(state, "failed"), *big = xcalloc(1, 200001);
    struct session_faults faults;
    struct error error;

    memset(big, 'x', 200000);
    big[10] = '\n';
    put(folder, "events.jsonl", "{\"seq\":1}\n{\"seq\":2");
    put(folder, "attempt-1.cast", big);
    put(folder, "attempt-1.2.cast", "whole\n");
    put(folder, "transcript.log", "no line at all");
    put(folder, ".session.json.123.tmp", "{");
    put(folder, "attempt-1.cast.zst.tmp", "x");
    put(folder, "mine.tmp", "x");
    CHECK(session_inspect(state, A, &faults, &error));
    CHECK_NUMBER(faults.torn, 3);
    CHECK_NUMBER(faults.temporary, 2);
    CHECK(!faults.no_object && faults.strange == 0);
    CHECK_NUMBER(session_mend(state, A, &error), 0);
    CHECK(!session_inspect(state, A, &faults, &error));
    CHECK_TEXT(folder, "events.jsonl", "{\"seq\":1}\n");
    CHECK_TEXT(folder, "attempt-1.cast", "xxxxxxxxxx\n");
    CHECK_TEXT(folder, "transcript.log", "");
    CHECK_TEXT(folder, "mine.tmp", "x");
    free(big);
    free(folder);
    free(state);
}

TEST(what_is_no_file_is_put_aside)
{
    char *state = scratch_folder(), *folder = make(state, "failed"), *other = scratch_folder(), *path;
    struct session_faults faults;
    struct error error;

    put(other, "precious", "untouched");
    path = path_join(folder, "attempt-1.cast");
    CHECK_NUMBER(mkdir(path, 0700), 0);
    free(path);
    path = path_join(folder, "events.jsonl");
    CHECK_NUMBER(mkfifo(path, 0600), 0);
    free(path);
    path = path_join(folder, "transcript.log");
    CHECK_NUMBER(symlinkat("../../../../precious", -1, path), 0);
    free(path);
    path = path_join(folder, "lock");
    CHECK(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
    free(path);
    CHECK(session_inspect(state, A, &faults, &error));
    CHECK_NUMBER(faults.strange, 4);
    CHECK_NUMBER(session_mend(state, A, &error), 0);
    CHECK(!session_inspect(state, A, &faults, &error));
    path = path_join(folder, "attempt-1.cast.damaged");
    CHECK(access(path, F_OK) == 0);
    free(path);
    CHECK_TEXT(other, "precious", "untouched");
    free(other);
    free(folder);
    free(state);
}

static json_t *rebuilt(const char *state)
{
    struct session_faults faults;
    struct error error;

    if (!session_inspect(state, A, &faults, &error) || !faults.no_object ||
        session_mend(state, A, &error) < 0 || session_inspect(state, A, &faults, &error))
        return NULL;
    return session_dir_read(state, A, NULL);
}

TEST(session_json_is_made_again)
{
    char *state = scratch_folder(), *folder = make(state, "failed");
    json_t *session;

    put(folder, "session.json", "{\"format\":1,\"na");
    put(folder, "events.jsonl",
        "{\"seq\":1,\"time\":\"2026-01-01T00:00:00.000Z\",\"session\":\"told\",\"attempt\":1,\"type\":"
        "\"session_started\"}\n"
        "{\"seq\":2,\"time\":\"2026-01-01T00:01:00.000Z\",\"session\":\"told\",\"attempt\":2,\"type\":"
        "\"session_ended\","
        "\"state\":\"completed\",\"exit\":{\"state\":\"completed\",\"code\":0,\"signal\":null,"
        "\"at\":\"2026-01-01T00:01:00.000Z\"}}\n"
        "torn");
    session = rebuilt(state);
    CHECK(session != NULL);
    CHECK_STRING(json_member_string(session, "id", ""), A);
    CHECK_STRING(json_member_string(session, "name", ""), "one"); /* STATE/names is truer than the events */
    CHECK_STRING(json_member_string(session, "phase", ""), "completed");
    CHECK_STRING(json_member_string(session, "created_at", ""), "2026-01-01T00:00:00.000Z");
    CHECK_NUMBER(json_member_integer(session, "attempt", 0), 2);
    CHECK_NUMBER(json_member_integer(json_object_get(session, "exit"), "code", -1), 0);
    json_decref(session);
    CHECK_TEXT(folder, "session.json.damaged", "{\"format\":1,\"na");
    free(folder);
    free(state);
}

TEST(a_name_that_is_in_use_is_not_given)
{
    char *state = scratch_folder(), *folder = make(state, "failed"), *link = path_join(state, "names/one"),
         *other = path_join(state, "sessions/22222222-2222-4222-8222-222222222222");
    json_t *session;

    CHECK_NUMBER(mkdir(other, 0700), 0);
    CHECK_NUMBER(unlink(link), 0);
    CHECK_NUMBER(symlink("22222222-2222-4222-8222-222222222222", link), 0);
    put(folder, "session.json", "{");
    put(folder, "events.jsonl",
        "{\"seq\":1,\"time\":\"2026-01-01T00:00:00.000Z\",\"session\":\"one\",\"attempt\":1,\"type\":"
        "\"session_started\"}\n");
    session = rebuilt(state);
    CHECK_STRING(json_member_string(session, "name", ""), "one-2");
    json_decref(session);
    free(other);
    free(link);
    free(folder);
    free(state);
}

TEST(without_an_end_it_is_lost)
{
    char *state = scratch_folder(), *folder = make(state, "failed");
    json_t *session;

    put(folder, "session.json", "");
    put(folder, "attempt-1.cast", "{}\n");
    put(folder, "attempt-3.2.cast.zst", "x");
    session = rebuilt(state);
    CHECK(session != NULL);
    CHECK_STRING(json_member_string(session, "phase", ""), "lost");
    CHECK_NUMBER(json_member_integer(session, "attempt", 0), 3);
    CHECK(json_member_string(session, "created_at", NULL) != NULL);
    json_decref(session);
    free(folder);
    free(state);
}

TEST(what_has_nothing_of_a_session_is_moved_away)
{
    char *state = scratch_folder(), *folder = make(state, "failed"),
         *path = path_join(state, SESSION_DAMAGED);
    struct session_faults faults;
    struct error error;

    put(folder, "session.json", "[]");
    CHECK(rebuilt(state) == NULL);
    CHECK(access(folder, F_OK) < 0 && errno == ENOENT);
    CHECK(access(path, F_OK) == 0);
    CHECK_NUMBER(symlink("/etc", folder), 0);
    CHECK(session_inspect(state, A, &faults, &error) && faults.no_folder);
    CHECK_NUMBER(session_mend(state, A, &error), 0);
    CHECK(access(folder, F_OK) < 0 && access("/etc/passwd", F_OK) == 0);
    free(path);
    free(folder);
    free(state);
}

TEST(a_newer_session_and_one_that_begins_are_left_alone)
{
    char *state = scratch_folder(), *folder = make(state, "failed"), *path = path_join(folder, SESSION_FILE);
    struct session_faults faults;
    struct error error;

    put(folder, "session.json", "{\"format\":99}");
    CHECK(!session_inspect(state, A, &faults, &error));
    CHECK_NUMBER(unlink(path), 0);
    put(folder, ".session.json.1.tmp", "{");
    CHECK(!session_inspect(state, A, &faults, &error));
    CHECK_NUMBER(session_mend(state, A, &error), -1);
    put(folder, "session.json", "{\"format\":1,\"phase\":\"initializing\"}");
    CHECK_NUMBER(session_mend(state, A, &error), -1);
    free(path);
    free(folder);
    free(state);
}

TEST_MAIN
