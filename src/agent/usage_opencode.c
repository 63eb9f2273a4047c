/*
 * opencode's messages: table `message` of opencode.db, where `data` is JSON; older versions have a file for each,
 * storage/message/SESSION/MESSAGE.json, of the same shape.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <stdlib.h>

#include "agent/file_part.h"
#include "agent/json_peek.h"
#include "agent/usage_record.h"

#define BUSY_MS 2000
#define OVERLAP_MS 60000 /* what was written before may be seen after */
#define MESSAGE_MAX ((size_t)16 * 1024 * 1024)

/* Reasoning is counted beside the output. A cost of nothing for an answer means that it is not billed. */
static void read_tokens(struct json_view tokens, struct json_view cost, struct usage_record *record)
{
    struct json_view input, output, reasoning, cache, read, write;
    const struct json_wanted wanted[] = {
        {"input", &input}, {"output", &output}, {"reasoning", &reasoning}, {"cache", &cache}};
    const struct json_wanted of_cache[] = {{"read", &read}, {"write", &write}};
    int64_t thought;

    if (!json_peek_members(tokens, wanted, sizeof wanted / sizeof wanted[0]))
        return;
    (void)json_peek_members(cache, of_cache, 2);
    record->input_tokens = json_peek_count(input);
    record->output_tokens = json_peek_count(output);
    record->cache_read_tokens = json_peek_count(read);
    record->cache_write_tokens = json_peek_count(write);
    if ((thought = json_peek_count(reasoning)) > 0)
        record->output_tokens = thought + (record->output_tokens > 0 ? record->output_tokens : 0);
    record->cost_usd = json_peek_number(cost, -1);
    record->subscription = cost.length > 0 && record->cost_usd == 0;
}

/* Those without an id or a conversation in them have it beside them. */
static void message(const char *text, size_t length, const char *id, const char *conversation,
                    usage_taker *take, void *argument)
{
    struct json_view role, own_id, session, model, cost, tokens, time;
    const struct json_wanted wanted[] = {{"role", &role},     {"id", &own_id}, {"sessionID", &session},
                                         {"modelID", &model}, {"cost", &cost}, {"tokens", &tokens},
                                         {"time", &time}};
    char id_text[USAGE_TEXT_MAX], session_text[USAGE_TEXT_MAX], model_text[USAGE_TEXT_MAX];
    struct usage_record record = {USAGE_RECORD_NONE};

    if (!json_peek_members(json_peek(text, length), wanted, sizeof wanted / sizeof wanted[0]) ||
        !json_peek_is(role, "assistant"))
        return;
    read_tokens(tokens, cost, &record);
    record.message = id != NULL ? id : json_peek_text(own_id, id_text, sizeof id_text);
    record.conversation =
        conversation != NULL ? conversation : json_peek_text(session, session_text, sizeof session_text);
    record.model = json_peek_text(model, model_text, sizeof model_text);
    record.at_ms = json_peek_time(json_peek_path(time, (const char *const[]){"created", NULL}));
    if (record.message != NULL && usage_record_counts(&record))
        take(argument, &record);
}

static int read_file(const char *path, int64_t *mark, usage_taker *take, void *argument)
{
    struct stat status;
    size_t length;
    int64_t changed;
    char *text;

    if (stat(path, &status) < 0)
        return -1;
    changed = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    if (changed == *mark)
        return 0;
    if ((text = file_part_read(path, 0, MESSAGE_MAX, &length)) == NULL)
        return -1;
    message(text, length, NULL, NULL, take, argument);
    free(text);
    *mark = changed;
    return 0;
}

/* ---- the database ---- */

#define ALL "SELECT id, session_id, time_updated, data FROM message WHERE time_updated >= ?1"
#define OF_CONVERSATION                                                                                      \
    " AND (session_id = ?2 OR session_id IN (SELECT id FROM session WHERE parent_id = ?2))"

static sqlite3 *open_database(const char *path)
{
    sqlite3 *database = NULL;

    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sqlite3_close(database);
        return NULL;
    }
    (void)sqlite3_busy_timeout(database, BUSY_MS);
    return database;
}

static int read_rows(sqlite3_stmt *rows, int64_t *mark, usage_taker *take, void *argument)
{
    int64_t newest = *mark;
    int step;

    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(rows, 3);
        int64_t updated = sqlite3_column_int64(rows, 2);
        if (text != NULL)
            message(text, (size_t)sqlite3_column_bytes(rows, 3), (const char *)sqlite3_column_text(rows, 0),
                    (const char *)sqlite3_column_text(rows, 1), take, argument);
        newest = updated > newest ? updated : newest;
    }
    if (step != SQLITE_DONE)
        return -1;
    if (newest - OVERLAP_MS > *mark)
        *mark = newest - OVERLAP_MS;
    return 0;
}

/* A database of another kind than ours to read is nothing to read. */
static int read_database(const char *path, const char *conversation, int64_t *mark, usage_taker *take,
                         void *argument)
{
    sqlite3 *database = open_database(path);
    sqlite3_stmt *rows = NULL;
    int result = -1;

    if (database != NULL && sqlite3_prepare_v2(database, conversation == NULL ? ALL : ALL OF_CONVERSATION, -1,
                                               &rows, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int64(rows, 1, *mark);
        if (conversation != NULL)
            (void)sqlite3_bind_text(rows, 2, conversation, -1, SQLITE_STATIC);
        result = read_rows(rows, mark, take, argument);
    }
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(database);
    return result;
}

static int read_either(const char *path, const char *conversation, int64_t *mark, usage_taker *take,
                       void *argument)
{
    size_t length = strlen(path);

    if (length > 5 && strcmp(path + length - 5, ".json") == 0)
        return read_file(path, mark, take, argument);
    return read_database(path, conversation, mark, take, argument);
}

const struct usage_source usage_opencode = {
    .agent = "opencode",
    .variable = "XDG_DATA_HOME",
    .home = ".local/share",
    .patterns = (const char *const[]){"opencode/opencode*.db", "opencode/storage/message/*/*.json", NULL},
    .conversation =
        (const char *const[]){"opencode/opencode*.db", "opencode/storage/message/%s/*.json", NULL},
    .read = read_either,
};
