#include <stdlib.h>
#include <time.h>

#include "scratch.h"
#include "test.h"

#include "base/json.h"
#include "store/ledger.h"

#define SESSION "0a7ff1d0-6c1d-4c2f-a8a1-000000000001"
#define OTHER "0a7ff1d0-6c1d-4c2f-a8a1-000000000002"

static struct ledger *fresh(void)
{
    char *folder = scratch_folder();
    struct error error = {0};
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);

    if (ledger == NULL) {
        (void)printf("# %s\n", error.text);
        abort();
    }
    free(folder);
    return ledger;
}

/* An answer of 11 tokens. */
static struct ledger_usage answer(const char *message, const char *request)
{
    return (struct ledger_usage){.agent = "claude",
                                 .account = "claude/",
                                 .message = message,
                                 .request = request,
                                 .conversation = "c",
                                 .model = "m",
                                 .at_ms = 1000,
                                 .input_tokens = 1,
                                 .output_tokens = 10,
                                 .cache_read_tokens = -1,
                                 .cache_write_tokens = -1,
                                 .cost_usd = 0.5,
                                 .basis = LEDGER_COMPUTED};
}

static void add(struct ledger *ledger, struct ledger_usage row)
{
    struct error error = {0};

    if (ledger_usage_add(ledger, &row, 1, &error) < 0) {
        (void)printf("# %s\n", error.text);
        abort();
    }
}

/* The rows of a sum, one a line: "KEY agent input output read written cost basis messages". */
static const char *sum_of(struct ledger *ledger, const struct ledger_usage_query *query)
{
    static const char *const keys[] = {"account", "session", "model", "day"};
    static char text[4096];
    json_t *list = ledger_usage_sum(ledger, query, NULL), *row;
    size_t index, used = 0;

    text[0] = '\0';
    json_array_foreach(list, index, row)
    {
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s %s %lld %lld %lld %lld %g %s %lld\n",
            json_member_string(row, keys[query->by], "-"), json_member_string(row, "agent", "-"),
            (long long)json_member_integer(row, "input_tokens", -1),
            (long long)json_member_integer(row, "output_tokens", -1),
            (long long)json_member_integer(row, "cache_read_tokens", -1),
            (long long)json_member_integer(row, "cache_write_tokens", -1),
            json_member_number(row, "cost_usd", -1), json_member_string(row, "cost_basis", "-"),
            (long long)json_member_integer(row, "messages", -1));
    }
    json_decref(list);
    return text;
}

static const char *sum_by(struct ledger *ledger, enum ledger_usage_by by)
{
    return sum_of(ledger, &(struct ledger_usage_query){.by = by});
}

TEST(an_answer_counts_once)
{
    struct ledger *ledger = fresh();
    struct ledger_usage more = answer("m1", "r1");

    add(ledger, answer("m1", "r1"));
    add(ledger, answer("m1", "r1"));
    CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/ claude 1 10 0 0 0.5 computed 1\n");
    more.output_tokens = 20;
    more.cost_usd = 0.75;
    add(ledger, more);
    add(ledger, answer("m1", "r1"));
    CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/ claude 1 20 0 0 0.75 computed 1\n");
    ledger_close(ledger);
}

TEST(another_request_or_agent_is_another_answer)
{
    struct ledger *ledger = fresh();
    struct ledger_usage codex = answer("m1", NULL);

    codex.agent = "codex";
    add(ledger, answer("m1", "r1"));
    add(ledger, answer("m1", "r2"));
    add(ledger, answer("m1", NULL));
    add(ledger, codex);
    CHECK_STRING(sum_by(ledger, USAGE_BY_MODEL), "m claude 3 30 0 0 1.5 computed 3\n"
                                                 "m codex 1 10 0 0 0.5 computed 1\n");
    ledger_close(ledger);
}

TEST(a_sidechains_record_gives_way)
{
    struct ledger_usage side = answer("m1", "r9");

    side.sidechain = true;
    side.output_tokens = 99;
    for (int first = 0; first < 2; first++) {
        struct ledger *ledger = fresh();
        if (first == 0)
            add(ledger, side);
        add(ledger, answer("m1", "r1"));
        add(ledger, side);
        CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/ claude 1 10 0 0 0.5 computed 1\n");
        ledger_close(ledger);
    }
}

TEST(of_two_sidechains_the_one_with_more_counts)
{
    struct ledger *ledger = fresh();
    struct ledger_usage side = answer("m1", "r1"), more = answer("m1", "r2");

    side.sidechain = more.sidechain = true;
    more.output_tokens = 30;
    add(ledger, side);
    add(ledger, more);
    add(ledger, side);
    CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/ claude 1 30 0 0 0.5 computed 1\n");
    ledger_close(ledger);
}

TEST(it_stays_its_sessions)
{
    struct ledger *ledger = fresh();
    struct ledger_usage own = answer("m1", "r1"), later = answer("m1", "r1"), copy = answer("m1", "r1");

    /* First from the files, then by the session, then with more tokens from the files, then by another's copy. */
    add(ledger, own);
    own.session = SESSION;
    own.attempt = 2;
    own.account = "claude/work";
    add(ledger, own);
    later.output_tokens = 11;
    add(ledger, later);
    copy.session = OTHER;
    add(ledger, copy);
    CHECK_STRING(sum_by(ledger, USAGE_BY_SESSION), SESSION " claude 1 11 0 0 0.5 computed 1\n");
    CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/work claude 1 11 0 0 0.5 computed 1\n");
    ledger_close(ledger);
}

TEST(the_earlier_of_two_equal_records_stands)
{
    struct ledger *ledger = fresh();
    struct ledger_usage later = answer("m1", NULL);
    const struct ledger_usage_query until = {.by = USAGE_BY_ACCOUNT, .until_ms = 2000};

    later.at_ms = 5000;
    add(ledger, later);
    CHECK_STRING(sum_of(ledger, &until), "");
    add(ledger, answer("m1", NULL));
    add(ledger, later);
    CHECK_STRING(sum_of(ledger, &until), "claude/ claude 1 10 0 0 0.5 computed 1\n");
    ledger_close(ledger);
}

TEST(what_costs_are_known_by)
{
    struct ledger *ledger = fresh();
    struct ledger_usage row = answer("m1", NULL);

    row.cost_usd = -1;
    row.basis = LEDGER_UNPRICED;
    row.model = "a";
    add(ledger, row);
    row.message = "m2";
    row.model = "b";
    row.cost_usd = 1;
    row.basis = LEDGER_REPORTED;
    add(ledger, row);
    row.message = "m3";
    row.model = "c";
    row.basis = LEDGER_SUBSCRIPTION;
    add(ledger, row);
    row.message = "m4";
    row.model = NULL;
    row.basis = LEDGER_COMPUTED;
    add(ledger, row);
    CHECK_STRING(sum_by(ledger, USAGE_BY_MODEL), "- claude 1 10 0 0 1 computed 1\n"
                                                 "a claude 1 10 0 0 -1 - 1\n"
                                                 "b claude 1 10 0 0 1 reported 1\n"
                                                 "c claude 1 10 0 0 1 subscription 1\n");
    CHECK_STRING(sum_by(ledger, USAGE_BY_SESSION), "- claude 4 40 0 0 3 mixed 4\n");
    ledger_close(ledger);
}

TEST(days_are_local)
{
    struct ledger *ledger = fresh();
    struct ledger_usage row = answer("m1", NULL), other = answer("m2", NULL), unknown = answer("m3", NULL);

    (void)setenv("TZ", "XXX-13", 1);
    tzset();
    row.at_ms = INT64_C(1795226400000); /* 2026-11-21T02:00Z */
    other.at_ms = row.at_ms + INT64_C(10) * 3600 * 1000;
    other.agent = "codex";
    unknown.at_ms = 0;
    add(ledger, row);
    add(ledger, other);
    add(ledger, unknown);
    CHECK_STRING(sum_by(ledger, USAGE_BY_DAY), "- claude 1 10 0 0 0.5 computed 1\n"
                                               "2026-11-21 claude 1 10 0 0 0.5 computed 1\n"
                                               "2026-11-22 codex 1 10 0 0 0.5 computed 1\n");
    (void)unsetenv("TZ");
    tzset();
    ledger_close(ledger);
}

TEST(bounds_account_and_session)
{
    struct ledger *ledger = fresh();
    struct ledger_usage row = answer("m1", NULL);

    add(ledger, row);
    row.message = "m2";
    row.at_ms = 2000;
    row.account = "claude/work";
    row.session = SESSION;
    row.cache_read_tokens = 5;
    row.cache_write_tokens = 7;
    add(ledger, row);
    CHECK_STRING(sum_of(ledger, &(struct ledger_usage_query){.since_ms = 2000, .until_ms = 2001}),
                 "claude/work claude 1 10 5 7 0.5 computed 1\n");
    CHECK_STRING(sum_of(ledger, &(struct ledger_usage_query){.since_ms = 1, .until_ms = 2000}),
                 "claude/ claude 1 10 0 0 0.5 computed 1\n");
    CHECK_STRING(sum_of(ledger, &(struct ledger_usage_query){.account = "claude/work"}),
                 "claude/work claude 1 10 5 7 0.5 computed 1\n");
    CHECK_STRING(sum_of(ledger, &(struct ledger_usage_query){.session = SESSION}),
                 "claude/work claude 1 10 5 7 0.5 computed 1\n");
    CHECK_STRING(sum_of(ledger, &(struct ledger_usage_query){.session = OTHER}), "");
    ledger_close(ledger);
}

TEST(a_sum_of_nothing)
{
    struct ledger *ledger = fresh();
    json_t *list = ledger_usage_sum(ledger, &(struct ledger_usage_query){.by = USAGE_BY_DAY}, NULL);
    int64_t count = -1;

    CHECK(json_is_array(list));
    CHECK_NUMBER(json_array_size(list), 0);
    CHECK_NUMBER(ledger_usage_add(ledger, NULL, 0, NULL), 0);
    CHECK_NUMBER(ledger_usage_count(ledger, &count, NULL), 0);
    CHECK_NUMBER(count, 0);
    json_decref(list);
    ledger_close(ledger);
}

TEST(many_at_once)
{
    struct ledger *ledger = fresh();
    struct ledger_usage *rows = calloc(3000, sizeof *rows);
    char(*names)[16] = calloc(3000, sizeof *names);
    int64_t count = -1;

    ledger_usage_bulk(ledger);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(names[i], sizeof names[i], "m%d", i / 3);
        rows[i] = answer(names[i], "r");
        rows[i].output_tokens = i % 3;
    }
    CHECK_NUMBER(ledger_usage_add(ledger, rows, 3000, NULL), 0);
    CHECK_NUMBER(ledger_usage_count(ledger, &count, NULL), 0);
    CHECK_NUMBER(count, 1000);
    CHECK_STRING(sum_by(ledger, USAGE_BY_ACCOUNT), "claude/ claude 1000 2000 0 0 500 computed 1000\n");
    free(rows);
    free(names);
    ledger_close(ledger);
}

TEST(how_far_files_were_read)
{
    struct ledger *ledger = fresh();

    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 2, 100), 0);
    CHECK_NUMBER(ledger_file_read(ledger, "/f", 1, 2, 50, NULL), 0);
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 2, 100), 50);
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 2, 50), 50);
    /* Another file by that name, or one that was shortened. */
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 3, 100), 0);
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 2, 2, 100), 0);
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 2, 49), 0);
    CHECK_NUMBER(ledger_file_read(ledger, "/f", 1, 3, 70, NULL), 0);
    CHECK_NUMBER(ledger_file_offset(ledger, "/f", 1, 3, 70), 70);
    ledger_close(ledger);
}

TEST_MAIN
