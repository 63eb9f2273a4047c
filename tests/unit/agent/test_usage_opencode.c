#include <sqlite3.h>
#include <stdlib.h>

#include "scratch.h"
#include "test.h"

#include "agent/usage_text.h"

#define ANSWER(cost, input)                                                                                  \
    "{\"role\":\"assistant\",\"cost\":" cost ",\"tokens\":{\"total\":19320,\"input\":" input                 \
    ",\"output\":56,\"reasoning\":64,\"cache\":{\"write\":3,\"read\":15000}},\"modelID\":\"m\","             \
    "\"providerID\":\"p\",\"time\":{\"created\":1795239815270,\"completed\":1795239823720}}"

static const char schema[] =
    "CREATE TABLE session (id text PRIMARY KEY, parent_id text);"
    "CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL,"
    " time_updated integer NOT NULL, data text NOT NULL);"
    "INSERT INTO session VALUES ('s1', NULL), ('s2', 's1'), ('s3', NULL);"
    "INSERT INTO message VALUES ('a', 's1', 1, 10, '" ANSWER(
        "0.0189", "4200") "'),"
                          "('b', 's2', 1, 20, '" ANSWER("0", "1") "'), ('c', 's3', 1, 30, '" ANSWER(
                              "0.5",
                              "-1") "'),"
                                    "('d', 's1', 1, 31, '{\"role\":\"user\",\"tokens\":{\"input\":5}}'), "
                                    "('e', 's1', 1, 32, 'no json'),"
                                    "('f', 's1', 1, 1000000, "
                                    "'{\"role\":\"assistant\",\"cost\":0,\"tokens\":{\"input\":0}}');";

#define A "a - s1 m 1795239815270 4200 120 15000 3 -1 -1 0.0189\n"
#define B "b - s2 m 1795239815270 1 120 15000 3 -1 -1 0 subscription\n"
#define C "c - s3 m 1795239815270 -1 120 15000 3 -1 -1 0.5\n"

static char *database(const char *statements)
{
    char *folder = scratch_folder(), *path = path_join(folder, "opencode.db");
    sqlite3 *made;

    if (sqlite3_open(path, &made) != SQLITE_OK ||
        sqlite3_exec(made, statements, NULL, NULL, NULL) != SQLITE_OK)
        abort();
    (void)sqlite3_close(made);
    free(folder);
    return path;
}

TEST(a_database)
{
    char *path = database(schema);
    int64_t mark = 0;

    begin();
    CHECK_NUMBER(usage_opencode.read(path, NULL, &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, A B C);
    CHECK_NUMBER(mark, 1000000 - 60000);
    mark = 11;
    begin();
    CHECK_NUMBER(usage_opencode.read(path, NULL, &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, B C);
    free(path);
}

TEST(one_conversation_and_those_it_began)
{
    char *path = database(schema);
    int64_t mark = 0;

    begin();
    CHECK_NUMBER(usage_opencode.read(path, "s1", &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, A B);
    free(path);
}

TEST(what_is_no_such_database)
{
    char *folder = scratch_folder(), *path = database("CREATE TABLE message (id text);");
    char *text = scratch_file(folder, "opencode.db", "no database at all, but long enough for one", 43);
    int64_t mark = 7;

    begin();
    CHECK_NUMBER(usage_opencode.read(path, NULL, &mark, take, NULL), -1);
    CHECK_NUMBER(usage_opencode.read(text, NULL, &mark, take, NULL), -1);
    CHECK_NUMBER(usage_opencode.read("/nonexistent/opencode.db", NULL, &mark, take, NULL), -1);
    CHECK_NUMBER(mark, 7);
    CHECK_STRING(told.bytes, "");
    free(text);
    free(path);
    free(folder);
}

TEST(an_older_file)
{
    static const char message[] =
        "{\"id\":\"a\",\"sessionID\":\"s1\",\"role\":\"assistant\",\"cost\":0.25,\"tokens\":{"
        "\"input\":1,\"output\":2,\"cache\":{\"read\":3}},\"modelID\":\"m\"}";
    char *folder = scratch_folder(), *path = scratch_file(folder, "a.json", message, sizeof message - 1);
    int64_t mark = 0;

    begin();
    CHECK_NUMBER(usage_opencode.read(path, NULL, &mark, take, NULL), 0);
    CHECK_NUMBER(usage_opencode.read(path, NULL, &mark, take, NULL), 0);
    CHECK_STRING(told.bytes, "a - s1 m 0 1 2 3 -1 -1 -1 0.25\n");
    free(path);
    free(folder);
}

TEST_MAIN
