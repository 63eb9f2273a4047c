#include "store/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/session_dir.h"
#include "store/session_shown.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

#define NOW INT64_C(1800000000000)
#define DAY_MS INT64_C(86400000)

/* A session that ended so many days before NOW, with a recording of so many bytes. */
static void make(const char *state, const char *uuid, const char *name, const char *phase, double days,
                 size_t bytes)
{
    json_t *at = json_time_or_null(NOW - (int64_t)(days * (double)DAY_MS));
    json_t *session = json_pack("{ss ss ss sO s{sO}}", "id", uuid, "name", name, "phase", phase,
                                "phase_since", at, "exit", "at", at);
    char *folder = session_dir_path(state, uuid), *recording = xcalloc(1, bytes + 1);

    if (session_dir_create(state, uuid, name, session, NULL) < 0)
        abort();
    memset(recording, 'x', bytes);
    free(scratch_file(folder, "attempt-1.cast", recording, bytes));
    free(recording);
    free(folder);
    json_decref(session);
    json_decref(at);
}

static bool there(const char *state, const char *uuid)
{
    char *path = session_dir_path(state, uuid);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define C "cccccccc-0000-4000-8000-000000000003"
#define D "dddddddd-0000-4000-8000-000000000004"

TEST(by_age)
{
    char *state = scratch_folder(), *path;
    const struct retention_policy policy = {.age_s = 30 * 86400};
    struct retention_result result;
    int64_t looked;
    json_t *last;

    make(state, A, "old", "completed", 31, 100);
    make(state, B, "young", "failed", 29, 100);
    make(state, C, "works", "thinking", 40, 100);
    make(state, D, "ahead", "killed", -40, 100);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 1);
    CHECK_NUMBER(result.failed, 0);
    CHECK(result.bytes >= 100);
    CHECK(!there(state, A) && there(state, B) && there(state, C) && there(state, D));
    path = path_join(state, "names/old");
    CHECK(readlink(path, (char[64]){0}, 64) < 0 && errno == ENOENT);
    free(path);
    last = retention_last(state, &looked);
    CHECK_NUMBER(looked, NOW);
    CHECK_STRING(json_member_string(last, "name", ""), "old");
    CHECK_STRING(json_member_string(last, "id", ""), A);
    CHECK_STRING(json_member_string(last, "reason", ""), "age");
    json_decref(last);
    free(state);
}

TEST(any_age_and_amount)
{
    char *state = scratch_folder();
    const struct retention_policy policy = {0};
    struct retention_result result;

    make(state, A, "old", "completed", 3000, 100000);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 0);
    CHECK(there(state, A));
    free(state);
}

TEST(by_size_those_that_ended_first)
{
    struct ended_session sessions[] = {
        {.uuid = A, .ended_ms = 1000, .bytes = 400},
        {.uuid = B, .ended_ms = 2000, .bytes = 400, .lost = true},
        {.uuid = C, .ended_ms = 3000, .bytes = 400, .kept = true},
        {.uuid = D, .ended_ms = 4000, .bytes = 400},
    };
    struct ended_list list = {sessions, 4};

    CHECK_NUMBER(retention_choose(&list, &(struct retention_policy){.bytes = 1600}, 5000), 0);
    CHECK_NUMBER(retention_choose(&list, &(struct retention_policy){.bytes = 1599}, 5000), 1);
    CHECK(sessions[0].beyond && !sessions[1].beyond && !sessions[2].beyond && !sessions[3].beyond);
    /* What is lost or kept stays, though that is still too much. */
    CHECK_NUMBER(retention_choose(&list, &(struct retention_policy){.bytes = 1}, 5000), 2);
    CHECK(sessions[0].beyond && sessions[3].beyond);
    /* Lost ones go by their age, kept ones never. */
    CHECK_NUMBER(retention_choose(&list, &(struct retention_policy){.age_s = 0.5}, 5000), 3);
    CHECK(sessions[1].beyond && !sessions[2].beyond);
    /* The clock was set back. */
    CHECK_NUMBER(retention_choose(&list, &(struct retention_policy){.age_s = 0.5, .bytes = 1}, 500), 0);
}

TEST(what_is_shown_kept_or_runs_stays)
{
    char *state = scratch_folder(), *path;
    const struct retention_policy policy = {.age_s = 1};
    struct retention_result result;
    int shown = session_shown_open(state), lock;

    make(state, A, "shown", "completed", 1, 10);
    make(state, B, "kept", "completed", 1, 10);
    make(state, C, "running", "completed", 1, 10);
    CHECK(shown >= 0);
    session_shown_set(shown, A, true);
    CHECK_NUMBER(session_keep(state, B, true, NULL), 0);
    CHECK(session_kept(state, B) && !session_kept(state, A));
    path = path_join(state, "sessions/" C "/" SESSION_LOCK);
    lock = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    CHECK_NUMBER(flock(lock, LOCK_EX | LOCK_NB), 0);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 0);
    CHECK_NUMBER(result.shown, 1);
    CHECK(there(state, A) && there(state, B) && there(state, C));
    session_shown_set(shown, A, false);
    CHECK_NUMBER(session_keep(state, B, false, NULL), 0);
    close(lock);
    close(shown);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 3);
    free(state);
}

TEST(one_of_another_machine_stays)
{
    char *state = scratch_folder();
    const struct retention_policy policy = {.age_s = 1, .bytes = 1};
    struct retention_result result;
    json_t *session;

    make(state, A, "elsewhere", "completed", 1, 10);
    make(state, B, "here", "completed", 1, 10);
    session = session_dir_read(state, A, NULL);
    json_object_set_new(session, "machine", json_string("another.machine.invalid"));
    CHECK_NUMBER(session_dir_write(state, A, session, NULL), 0);
    json_decref(session);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 1);
    CHECK(there(state, A) && !there(state, B));
    free(state);
}

TEST(one_looks_at_a_time_and_not_too_often)
{
    char *state = scratch_folder();
    const struct retention_policy policy = {0};
    struct retention_result result;
    struct error error;
    int64_t now = clock_realtime_ms();
    int log = retention_claim(state, now, 3600);

    CHECK(log >= 0);
    CHECK_NUMBER(retention_sweep(state, &policy, now, &result, &error), -1);
    CHECK_NUMBER(error.code, EWOULDBLOCK);
    CHECK_NUMBER(retention_sweep_locked(log, state, &policy, now, &result, &error), 0);
    close(log);
    CHECK_NUMBER(retention_claim(state, now + 3599000, 3600), -1);
    log = retention_claim(state, now + 3601000, 3600);
    CHECK(log >= 0);
    close(log);
    free(state);
}

TEST(a_clock_that_jumped_is_doubted_once)
{
    char *state = scratch_folder();
    int64_t now = clock_realtime_ms(), later = now + 400 * DAY_MS;
    int log = retention_claim(state, now, 3600);

    CHECK(log >= 0);
    close(log);
    CHECK_NUMBER(retention_claim(state, later, 3600), -1);
    CHECK_NUMBER(retention_claim(state, now, 3600), -1); /* set right: doubted again, from then on it holds */
    log = retention_claim(state, now + 3601000, 3600);
    CHECK(log >= 0);
    close(log);
    free(state);
}

TEST(a_removal_that_was_killed_is_finished)
{
    char *state = scratch_folder(), *left = path_join(state, "sessions/." A SESSION_REMOVED "/deep"),
         *other = path_join(state, "sessions/.hidden");
    const struct retention_policy policy = {.age_s = 1};
    struct retention_result result;

    CHECK_NUMBER(path_make_dirs(left, 0700, NULL), 0);
    CHECK_NUMBER(path_make_dirs(other, 0700, NULL), 0);
    free(scratch_file(left, "attempt-1.2.cast.zst", "x", 1));
    CHECK_NUMBER(retention_count_leftovers(state), 1);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.leftover, 1);
    CHECK_NUMBER(retention_count_leftovers(state), 0);
    CHECK(access(other, F_OK) == 0);
    free(left);
    free(other);
    free(state);
}

TEST(a_long_log_loses_its_older_half)
{
    char *state = scratch_folder(), *path = path_join(state, RETENTION_LOG);
    const struct retention_policy policy = {.age_s = 1};
    struct retention_result result;
    struct stat status;
    FILE *file = fopen(path, "we");
    int64_t looked;
    json_t *last;

    for (int i = 0; i < 3 * RETENTION_LOG_MAX / 16; i++)
        (void)fprintf(file, "{\"a\":%09d}\n", i);
    CHECK_NUMBER(fclose(file), 0);
    make(state, A, "old", "completed", 31, 10);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK(stat(path, &status) == 0 && status.st_size < RETENTION_LOG_MAX && status.st_size > 1000);
    last = retention_last(state, &looked);
    CHECK_STRING(json_member_string(last, "name", ""), "old");
    json_decref(last);
    free(path);
    free(state);
}

TEST(hostile_folders_do_not_stop_it)
{
    char *state = scratch_folder(), *path, *target = scratch_folder();
    const struct retention_policy policy = {.age_s = 1};
    struct retention_result result;

    make(state, A, "old", "completed", 31, 10);
    free(scratch_file(target, "precious", "x", 1));
    path = path_join(state, "sessions/" B);
    CHECK_NUMBER(symlink(target, path), 0);
    free(path);
    path = path_join(state, "sessions/" C);
    CHECK_NUMBER(mkdir(path, 0700), 0);
    free(path);
    path = path_join(state, "sessions/" C "/" SESSION_FILE);
    CHECK_NUMBER(mkfifo(path, 0600), 0);
    free(path);
    path = path_join(state, "sessions/" C "/" SESSION_LOCK);
    CHECK_NUMBER(mkfifo(path, 0600), 0);
    free(path);
    path = path_join(state, "sessions/" A "/a\nb");
    CHECK_NUMBER(symlink(target, path), 0);
    free(path);
    path = path_join(state, "sessions/" A "/attempt-2.cast");
    CHECK_NUMBER(mkdir(path, 0), 0);
    free(path);
    CHECK_NUMBER(retention_sweep(state, &policy, NOW, &result, NULL), 0);
    CHECK_NUMBER(result.removed, 1);
    path = path_join(target, "precious");
    CHECK(access(path, F_OK) == 0);
    free(path);
    free(target);
    free(state);
}

TEST_MAIN
