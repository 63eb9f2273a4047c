#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "store/ledger_private.h"

/* ---- names as numbers ---- */

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* FNV-1a, the NUL included, so that two texts differ from one of both. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    while (*text++ != '\0');
    return hash;
}

struct names {
    int64_t id, message;
};

static struct names name_answer(const struct ledger_usage *row)
{
    uint64_t message = hash_text(hash_text(FNV_BASIS, row->agent), row->message);
    uint64_t id = row->request == NULL ? message : hash_text(message, row->request);

    return (struct names){(int64_t)id, (int64_t)message};
}

/* ---- adding ---- */

struct adding {
    const struct ledger_usage *rows;
    size_t count;
    sqlite3_stmt *find, *put, *rename, *claim;
};

#define COST_PARAMETER 15

struct known {
    int64_t id, tokens, at_ms;
    bool any, sidechain, of_session;
};

static int64_t told(int64_t count)
{
    return count > 0 ? count : 0;
}

static int64_t tokens_of(const struct ledger_usage *row)
{
    return told(row->input_tokens) + told(row->output_tokens) + told(row->cache_read_tokens) +
           told(row->cache_write_tokens);
}

static int prepare(struct ledger *ledger, struct adding *adding, struct error *error)
{
    adding->find = ledger_query(ledger, error,
                                "SELECT id, sidechain, input + output + cache_read + cache_write, at,"
                                " session IS NOT NULL FROM usage WHERE message = ?1",
                                "");
    adding->put =
        ledger_query(ledger, error,
                     "INSERT INTO usage (id, message, sidechain, at, agent, account, session, attempt,"
                     " conversation, model, input, output, cache_read, cache_write, cost, basis)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
                     " ON CONFLICT (id) DO UPDATE SET sidechain = ?3, at = ?4, model = coalesce(?10, model),"
                     " conversation = coalesce(?9, conversation), input = ?11, output = ?12,"
                     " cache_read = ?13, cache_write = ?14, cost = ?15, basis = ?16,"
                     " account = CASE WHEN ?7 IS NULL AND session IS NOT NULL THEN account ELSE ?6 END,"
                     " attempt = CASE WHEN ?7 IS NULL AND session IS NOT NULL THEN attempt ELSE ?8 END,"
                     " session = coalesce(?7, session)",
                     "");
    adding->rename = ledger_query(ledger, error, "UPDATE usage SET id = ?2 WHERE id = ?1", "");
    adding->claim = ledger_query(
        ledger, error,
        "UPDATE usage SET session = ?2, attempt = ?3, account = ?4 WHERE id = ?1 AND session IS NULL", "");
    return adding->find == NULL || adding->put == NULL || adding->rename == NULL || adding->claim == NULL ? -1
                                                                                                          : 0;
}

static void finish(struct adding *adding)
{
    (void)sqlite3_finalize(adding->find);
    (void)sqlite3_finalize(adding->put);
    (void)sqlite3_finalize(adding->rename);
    (void)sqlite3_finalize(adding->claim);
}

/* The record that the ledger has of the answer. One that is no sidechain's is known by its full name, or by a sidechain's
 * record of the same message; a sidechain's by any record of it. */
static int find(struct ledger *ledger, const struct adding *adding, const struct ledger_usage *row,
                const struct names *names, struct known *known, struct error *error)
{
    int step;

    *known = (struct known){.any = false};
    if (ledger_bind(ledger, error, adding->find, "i", names->message) < 0)
        return -1;
    while ((step = ledger_step(ledger, error, adding->find)) == 1) {
        struct known found = {
            sqlite3_column_int64(adding->find, 0),    sqlite3_column_int64(adding->find, 2),
            sqlite3_column_int64(adding->find, 3),    true,
            sqlite3_column_int(adding->find, 1) != 0, sqlite3_column_int(adding->find, 4) != 0};
        if ((found.id == names->id || row->sidechain || found.sidechain) && (!known->any || known->sidechain))
            *known = found;
    }
    (void)sqlite3_reset(adding->find);
    return step;
}

/* Of the same counts the earlier one stands: the later one is a copy. */
static bool better(const struct ledger_usage *row, const struct known *known)
{
    int64_t tokens = tokens_of(row);

    if (row->sidechain != known->sidechain)
        return !row->sidechain;
    return tokens > known->tokens || (tokens == known->tokens && row->at_ms > 0 && row->at_ms < known->at_ms);
}

static int put(struct ledger *ledger, const struct adding *adding, const struct ledger_usage *row,
               const struct names *names, struct error *error)
{
    if (ledger_bind(ledger, error, adding->put, "iiiitttittiiiiri", names->id, names->message,
                    (int64_t)row->sidechain, row->at_ms, row->agent, row->account, row->session,
                    (int64_t)row->attempt, row->conversation, row->model, told(row->input_tokens),
                    told(row->output_tokens), told(row->cache_read_tokens), told(row->cache_write_tokens),
                    row->cost_usd, (int64_t)row->basis) < 0)
        return -1;
    if (row->cost_usd < 0)
        (void)sqlite3_bind_null(adding->put, COST_PARAMETER);
    return ledger_step(ledger, error, adding->put) < 0 ? -1 : 0;
}

static int run(struct ledger *ledger, struct error *error, sqlite3_stmt *bound)
{
    int step = ledger_step(ledger, error, bound);

    (void)sqlite3_reset(bound);
    return step < 0 ? -1 : 0;
}

static int add_one(struct ledger *ledger, const struct adding *adding, const struct ledger_usage *row,
                   struct error *error)
{
    struct names names = name_answer(row);
    struct known known;

    if (find(ledger, adding, row, &names, &known, error) < 0)
        return -1;
    if (known.any && !better(row, &known)) {
        if (row->session == NULL || known.of_session)
            return 0;
        return ledger_bind(ledger, error, adding->claim, "itit", known.id, row->session,
                           (int64_t)row->attempt, row->account) < 0
                   ? -1
                   : run(ledger, error, adding->claim);
    }
    if (known.any && known.id != names.id && row->sidechain)
        names.id = known.id;
    if (known.any && known.id != names.id &&
        (ledger_bind(ledger, error, adding->rename, "ii", known.id, names.id) < 0 ||
         run(ledger, error, adding->rename) < 0))
        return -1;
    return put(ledger, adding, row, &names, error);
}

static int add_all(struct ledger *ledger, void *argument, struct error *error)
{
    struct adding *adding = argument;
    int result = prepare(ledger, adding, error);

    for (size_t i = 0; i < adding->count && result == 0; i++)
        result = add_one(ledger, adding, &adding->rows[i], error);
    finish(adding);
    return result;
}

int ledger_usage_add(struct ledger *ledger, const struct ledger_usage *rows, size_t count,
                     struct error *error)
{
    struct adding adding = {.rows = rows, .count = count};

    return count == 0 ? 0 : ledger_transaction(ledger, add_all, &adding, error);
}

void ledger_usage_bulk(struct ledger *ledger)
{
    (void)sqlite3_exec(ledger->database, "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000", NULL,
                       NULL, NULL);
}

int ledger_usage_count(struct ledger *ledger, int64_t *count, struct error *error)
{
    return ledger_number(ledger, error, count, "SELECT count(*) FROM usage", "");
}

/* ---- files ---- */

int64_t ledger_file_offset(struct ledger *ledger, const char *path, int64_t device, int64_t inode,
                           int64_t size)
{
    int64_t offset;

    if (ledger_number(ledger, NULL, &offset,
                      "SELECT offset FROM usage_file WHERE path = ?1 AND device = ?2 AND inode = ?3"
                      " AND offset <= ?4",
                      "tiii", path, device, inode, size) < 0)
        return 0;
    return offset;
}

int ledger_file_read(struct ledger *ledger, const char *path, int64_t device, int64_t inode, int64_t offset,
                     struct error *error)
{
    return ledger_run(ledger, error,
                      "INSERT INTO usage_file VALUES (?1, ?2, ?3, ?4) ON CONFLICT (path) DO UPDATE SET"
                      " device = ?2, inode = ?3, offset = ?4",
                      "tiii", path, device, inode, offset);
}

/* ---- sums ---- */

struct kind {
    const char *name, *key, *group;
};

static const struct kind kinds[] = {
    [USAGE_BY_ACCOUNT] = {"account", "account", "account, agent"},
    [USAGE_BY_SESSION] = {"session", "session", "session, agent"},
    [USAGE_BY_MODEL] = {"model", "model", "model, agent"},
    [USAGE_BY_DAY] = {"day",
                      "CASE WHEN at > 0 THEN strftime('%Y-%m-%d', at / 1000, 'unixepoch', 'localtime') END",
                      "1"},
};

static const char *basis_name(int64_t least, int64_t most)
{
    static const char *const names[] = {[LEDGER_REPORTED] = "reported",
                                        [LEDGER_COMPUTED] = "computed",
                                        [LEDGER_SUBSCRIPTION] = "subscription"};

    if (least != most)
        return "mixed";
    return least > LEDGER_UNPRICED && least <= LEDGER_SUBSCRIPTION ? names[least] : NULL;
}

static json_t *sum_row(const struct kind *kind, sqlite3_stmt *row)
{
    json_t *object = json_object();
    int64_t input = sqlite3_column_int64(row, 2), output = sqlite3_column_int64(row, 3),
            read = sqlite3_column_int64(row, 4), written = sqlite3_column_int64(row, 5);
    bool priced = sqlite3_column_type(row, 6) != SQLITE_NULL;

    json_object_set_new(object, kind->name, json_string_or_null(ledger_text(row, 0)));
    json_object_set_new(object, "agent", json_string_or_null(ledger_text(row, 1)));
    json_object_set_new(object, "input_tokens", json_integer(input));
    json_object_set_new(object, "output_tokens", json_integer(output));
    json_object_set_new(object, "cache_read_tokens", json_integer(read));
    json_object_set_new(object, "cache_write_tokens", json_integer(written));
    json_object_set_new(object, "total_tokens", json_integer(input + output + read + written));
    json_object_set_new(object, "cost_usd", priced ? json_real(sqlite3_column_double(row, 6)) : json_null());
    json_object_set_new(
        object, "cost_basis",
        json_string_or_null(basis_name(sqlite3_column_int64(row, 7), sqlite3_column_int64(row, 8))));
    json_object_set_new(object, "messages", json_integer(sqlite3_column_int64(row, 9)));
    return object;
}

/* What is not asked for is written as what is true anyway, so that the indexes serve the rest. */
static void write_query(const struct kind *kind, const struct ledger_usage_query *query, struct buffer *sql)
{
    buffer_printf(sql,
                  "SELECT %s, CASE WHEN min(agent) = max(agent) THEN min(agent) END, sum(input), sum(output),"
                  " sum(cache_read), sum(cache_write), sum(cost), min(basis), max(basis), count(*)"
                  " FROM usage WHERE %s AND %s AND %s AND %s GROUP BY %s ORDER BY 1, 2",
                  kind->key, query->since_ms > 0 ? "at >= ?1" : "?1 <= 0",
                  query->until_ms > 0 ? "at < ?2" : "?2 <= 0",
                  query->account != NULL ? "account = ?3" : "?3 IS NULL",
                  query->session != NULL ? "session = ?4" : "?4 IS NULL", kind->group);
}

json_t *ledger_usage_sum(struct ledger *ledger, const struct ledger_usage_query *query, struct error *error)
{
    const struct kind *kind = &kinds[query->by];
    json_t *list = json_array();
    sqlite3_stmt *rows;
    struct buffer sql;
    int step = -1;

    buffer_init(&sql);
    write_query(kind, query, &sql);
    rows = ledger_query(ledger, error, sql.bytes, "iitt", query->since_ms, query->until_ms, query->account,
                        query->session);
    buffer_finish(&sql);
    while (rows != NULL && (step = ledger_step(ledger, error, rows)) == 1)
        (void)json_array_append_new(list, sum_row(kind, rows));
    (void)sqlite3_finalize(rows);
    if (step == 0)
        return list;
    json_decref(list);
    return NULL;
}
