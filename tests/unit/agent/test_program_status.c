#include <stdio.h>
#include <stdlib.h>

#include "agent/program_status.h"
#include "test.h"

static bool report(struct program_status *status, const char *payload)
{
    return program_status_report(status, payload, strlen(payload));
}

TEST(a_report_replaces_its_record_whole)
{
    struct program_status status;
    const struct status_record *summary;

    program_status_init(&status);
    CHECK(report(&status, "state=blocked:app=codex:kind=permission:msg=YXNrcw=="));
    summary = program_status_summary(&status);
    CHECK_NUMBER(summary->state, STATUS_BLOCKED);
    CHECK_NUMBER(summary->kind, STATUS_KIND_PERMISSION);
    CHECK_STRING(summary->message, "asks");
    CHECK(report(&status, "state=working:progress=40"));
    summary = program_status_summary(&status);
    CHECK_NUMBER(summary->state, STATUS_WORKING);
    CHECK_NUMBER(summary->progress, 40);
    CHECK(summary->message == NULL && summary->app == NULL);
    CHECK_NUMBER(status.count, 1);
    program_status_finish(&status);
}

TEST(children_and_clear)
{
    struct program_status status;

    program_status_init(&status);
    CHECK(report(&status, "state=working"));
    CHECK(report(&status, "id=a:state=blocked"));
    CHECK(report(&status, "id=a/b:state=working"));
    CHECK(report(&status, "id=ab:state=done"));
    CHECK_NUMBER(program_status_summary(&status)->state, STATUS_BLOCKED);
    CHECK(report(&status, "id=a:state=clear"));
    CHECK_NUMBER(status.count, 2);
    CHECK_NUMBER(program_status_summary(&status)->state, STATUS_WORKING);
    program_status_settle(&status);
    CHECK_NUMBER(program_status_summary(&status)->state, STATUS_DONE);
    CHECK(report(&status, "state=clear"));
    CHECK(program_status_summary(&status) == NULL);
    program_status_finish(&status);
}

TEST(bad_reports_are_discarded)
{
    static const char *const bad[] = {
        "",
        "progress=50",
        "state=resting",
        "state=idle:progress=101",
        "state=idle:progress=-1",
        "state=idle:msg=***",
        "state=idle:msg=Gw==" /* ESC */,
        "state=idle:title=/w==" /* not UTF-8 */,
        "state=idle:id=1/2/3/4/5/6/7/8/9",
        "state=idle\n:app=x",
        "state=idle:app=\xff",
    };
    struct program_status status;

    program_status_init(&status);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (report(&status, bad[i]))
            TEST_FAIL("accepted: %s", bad[i]);
    }
    CHECK_NUMBER(status.count, 0);
    program_status_finish(&status);
}

TEST(five_thousand_records_keep_the_latest)
{
    struct program_status status;
    char payload[64];

    program_status_init(&status);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(payload, sizeof payload, "id=task%d:state=idle", i);
        CHECK(report(&status, payload));
    }
    CHECK_NUMBER(status.count, 256);
    CHECK_STRING(program_status_summary(&status)->id, "task4999");
    program_status_finish(&status);
}

TEST(an_overlong_report_is_discarded)
{
    struct program_status status;
    char payload[5000];

    memset(payload, 'a', sizeof payload);
    memcpy(payload, "state=idle:app=", 15);
    program_status_init(&status);
    CHECK(!program_status_report(&status, payload, sizeof payload));
    program_status_finish(&status);
}

TEST_MAIN
