#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "scratch.h"
#include "store/session_dir.h"
#include "store/session_lost.h"
#include "test.h"

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define C "00000000-0000-4000-8000-00000000000c"

static int create(const char *state, const char *uuid, const char *name, const char *phase,
                  struct error *error)
{
    json_t *session = json_pack("{s:s, s:s, s:s, s:s, s:{s:[s]}}", "id", uuid, "name", name, "phase", phase,
                                "created_at", uuid, "start", "argv", "secret");
    int result = session_dir_create(state, uuid, name, session, error);

    json_decref(session);
    return result;
}

/* What a keeper does: holds the lock until the descriptor is closed. */
static int hold(const char *state, const char *uuid)
{
    char *folder = session_dir_path(state, uuid), *path = path_join(folder, SESSION_LOCK);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        abort();
    free(path);
    free(folder);
    return lock;
}

/* Makes session.json look `seconds` old. */
static void age(const char *state, const char *uuid, time_t seconds)
{
    char *folder = session_dir_path(state, uuid), *path = path_join(folder, SESSION_FILE);
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

    if (utimensat(AT_FDCWD, path, times, 0) < 0)
        abort();
    free(path);
    free(folder);
}

static char *file_of(const char *state, const char *uuid, const char *bytes)
{
    char *folder = session_dir_path(state, uuid),
         *path = scratch_file(folder, SESSION_FILE, bytes, strlen(bytes));

    free(folder);
    return path;
}

static unsigned count_entries(const char *state, const char *folder)
{
    char *path = path_join(state, folder);
    DIR *entries = opendir(path);
    unsigned count = 0;

    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        count += entry->d_name[0] != '.';
    (void)closedir(entries);
    free(path);
    return count;
}

TEST(a_session_is_made_read_and_found)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error = {0};
    json_t *session;

    CHECK_NUMBER(create(state, A, "api-fix", "idle", &error), 0);
    CHECK_NUMBER(create(state, B, "api-two", "idle", &error), 0);
    session = session_dir_read(state, A, &error);
    CHECK_STRING(json_member_string(session, "name", ""), "api-fix");
    CHECK_NUMBER(json_member_integer(session, "format", 0), SESSION_FORMAT);
    json_decref(session);
    CHECK_NUMBER(session_dir_find(state, "api-two", false, uuid, &error), 0);
    CHECK_STRING(uuid, B);
    CHECK_NUMBER(session_dir_find(state, "00000000-0000-4000-8000-00000000000A", false, uuid, &error), 0);
    CHECK_STRING(uuid, A);
    CHECK_NUMBER(session_dir_find(state, "api-t", true, uuid, &error), 0);
    CHECK_STRING(uuid, B);
    CHECK_NUMBER(session_dir_find(state, "api-t", false, uuid, &error), -1);
    CHECK(strncmp(error.text, "no session \"api-t\": there are api-", 34) == 0);
    CHECK_NUMBER(session_dir_find(state, "api", true, uuid, &error), -2);
    CHECK(strncmp(error.text, "\"api\" fits several sessions: api-", 33) == 0);
    CHECK_NUMBER(session_dir_find(state, C, true, uuid, &error), -1);
    CHECK_NUMBER(session_dir_find(state, "../sessions", true, uuid, &error), -1);
    free(state);
}

TEST(nothing_to_find)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error;

    CHECK_NUMBER(session_dir_find(state, "x", true, uuid, &error), -1);
    CHECK_STRING(error.text, "no session \"x\": there is none at all (`ganger run` starts one)");
    CHECK_NUMBER(error.code, ENOENT);
    free(state);
}

TEST(a_living_session_keeps_its_name)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error;
    int lock;

    CHECK_NUMBER(create(state, A, "x", "idle", &error), 0);
    lock = hold(state, A);
    CHECK_NUMBER(session_dir_alive(state, A, &error), 1);
    CHECK_NUMBER(create(state, B, "x", "initializing", &error), -1);
    CHECK_STRING(error.text,
                 "a session named x is running: choose another name with -n, go to it with `ganger attach "
                 "x`, or end it with `ganger kill x`");
    CHECK_NUMBER(count_entries(state, "sessions"), 1);
    close(lock);
    CHECK_NUMBER(session_dir_alive(state, A, &error), 0);
    CHECK_NUMBER(create(state, B, "x", "initializing", &error), 0);
    CHECK_NUMBER(session_dir_find(state, "x", false, uuid, &error), 0);
    CHECK_STRING(uuid, B);
    CHECK_NUMBER(session_dir_find(state, A, false, uuid, &error), 0);
    free(state);
}

TEST(a_starting_session_keeps_its_name_for_a_while)
{
    char *state = scratch_folder();
    struct error error;

    CHECK_NUMBER(create(state, A, "x", "initializing", &error), 0);
    CHECK_NUMBER(create(state, B, "x", "initializing", &error), -1);
    CHECK(strncmp(error.text, "a session named x is being started: ", 36) == 0);
    CHECK_NUMBER(session_dir_remove(state, A, &error), -1);
    age(state, A, SESSION_START_S + 1);
    CHECK_NUMBER(create(state, B, "x", "initializing", &error), 0);
    free(state);
}

TEST(of_many_starters_of_one_name_one_wins)
{
    char *state = scratch_folder();
    struct error error;
    int winners = 0, status;

    CHECK_NUMBER(create(state, A, "x", "completed", &error), 0);
    for (int i = 0; i < 12; i++) {
        if (fork() == 0) {
            char uuid[UUID_SIZE];
            uuid_generate(uuid);
            _exit(create(state, uuid, "x", "initializing", &error) == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < 12; i++) {
        CHECK(wait(&status) > 0);
        winners += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    CHECK_NUMBER(winners, 1);
    CHECK_NUMBER(count_entries(state, "sessions"), 2);
    CHECK_NUMBER(count_entries(state, "names"), 1);
    free(state);
}

TEST(bad_names_are_refused)
{
    static const char *const names[] = {"", ".x", "-x", "a/b", "a b", "..", A, "\xC3\xA9"};
    char *state = scratch_folder(), longest[NAME_MAX_LENGTH + 2];
    struct error error;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_NUMBER(create(state, A, names[i], "idle", &error), -1);
        CHECK(strstr(error.text, "cannot be a name: it takes") != NULL);
    }
    memset(longest, 'x', sizeof longest - 1);
    longest[NAME_MAX_LENGTH + 1] = '\0';
    CHECK_NUMBER(create(state, A, longest, "idle", &error), -1);
    longest[NAME_MAX_LENGTH] = '\0';
    CHECK_NUMBER(create(state, A, longest, "idle", &error), 0);
    free(state);
}

TEST(numbered_names)
{
    char *state = scratch_folder(), name[NAME_MAX_LENGTH + 1], uuid[UUID_SIZE], base[NAME_MAX_LENGTH + 20];
    json_t *session = json_pack("{s:s}", "phase", "completed");
    struct error error;

    CHECK_NUMBER(session_dir_create_numbered(state, A, "claude", session, name, &error), 0);
    CHECK_STRING(name, "claude");
    CHECK_NUMBER(session_dir_create_numbered(state, B, "claude", session, name, &error), 0);
    CHECK_STRING(name, "claude-2");
    CHECK_STRING(json_member_string(session, "name", ""), "claude-2");
    CHECK_NUMBER(session_dir_remove(state, A, &error), 0);
    CHECK_NUMBER(session_dir_create_numbered(state, C, "claude", session, name, &error), 0);
    CHECK_STRING(name, "claude");
    memset(base, 'b', sizeof base - 1);
    base[sizeof base - 1] = '\0';
    for (int i = 1; i <= 10; i++) {
        uuid_generate(uuid);
        CHECK_NUMBER(session_dir_create_numbered(state, uuid, base, session, name, &error), 0);
        CHECK_NUMBER(strlen(name), NAME_MAX_LENGTH);
    }
    CHECK_STRING(name + NAME_MAX_LENGTH - 4, "b-10");
    json_decref(session);
    free(state);
}

TEST(renaming)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error;
    int lock;

    CHECK_NUMBER(create(state, A, "x", "idle", &error), 0);
    CHECK_NUMBER(create(state, B, "y", "idle", &error), 0);
    lock = hold(state, B);
    CHECK_NUMBER(session_dir_rename(state, A, "x", "y", &error), -1);
    CHECK_NUMBER(session_dir_find(state, "x", false, uuid, &error), 0);
    CHECK_NUMBER(session_dir_rename(state, A, "x", "z", &error), 0);
    CHECK_NUMBER(session_dir_find(state, "x", false, uuid, &error), -1);
    CHECK_NUMBER(session_dir_find(state, "z", false, uuid, &error), 0);
    CHECK_STRING(uuid, A);
    CHECK_NUMBER(session_dir_rename(state, A, "z", "z", &error), 0);
    CHECK_NUMBER(session_dir_find(state, "z", false, uuid, &error), 0);
    close(lock);
    free(state);
}

static void check_phase(const char *state, const char *uuid, const char *phase)
{
    json_t *session = session_dir_read(state, uuid, NULL);

    CHECK_STRING(json_member_string(session, "phase", ""), phase);
    json_decref(session);
}

TEST(a_lost_session_is_settled_once)
{
    char *state = scratch_folder();
    struct error error;
    int lock;

    CHECK(create(state, A, "gone", "idle", &error) == 0);
    CHECK(create(state, B, "ended", "completed", &error) == 0);
    CHECK(create(state, C, "starting", "initializing", &error) == 0);
    lock = hold(state, A);
    CHECK(!session_lost_settle(state, A));
    close(lock);
    CHECK_NUMBER(session_lost_settle_all(state), 1);
    check_phase(state, A, "lost");
    check_phase(state, B, "completed");
    check_phase(state, C, "initializing");
    age(state, C, 60);
    CHECK_NUMBER(session_lost_settle_all(state), 1);
    check_phase(state, C, "lost");
    CHECK_NUMBER(session_lost_settle_all(state), 0);
    free(state);
}

TEST(sessions_of_another_machine_are_left_alone)
{
    char *state = scratch_folder();
    json_t *session = json_pack("{s:s, s:s, s:s, s:s}", "id", A, "name", "far", "phase", "idle", "machine",
                                "some-other-machine.invalid");
    struct error error;

    CHECK(session_dir_create(state, A, "far", session, &error) == 0);
    CHECK(!session_lost_settle(state, A));
    check_phase(state, A, "idle");
    json_decref(session);
    free(state);
}

TEST(removing)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error;
    int lock;

    CHECK_NUMBER(create(state, A, "x", "idle", &error), 0);
    lock = hold(state, A);
    CHECK_NUMBER(session_dir_remove(state, A, &error), -1);
    CHECK_STRING(error.text, "session " A " is running: end it with `ganger kill` first");
    close(lock);
    CHECK_NUMBER(session_dir_remove(state, A, &error), 0);
    CHECK_NUMBER(session_dir_find(state, "x", false, uuid, &error), -1);
    CHECK_NUMBER(count_entries(state, "sessions"), 0);
    CHECK_NUMBER(count_entries(state, "names"), 0);
    CHECK_NUMBER(session_dir_remove(state, A, &error), -1);
    free(state);
}

TEST(an_ended_session_that_lost_its_name_leaves_it_alone)
{
    char *state = scratch_folder(), uuid[UUID_SIZE];
    struct error error;

    CHECK_NUMBER(create(state, A, "x", "completed", &error), 0);
    CHECK_NUMBER(create(state, B, "x", "completed", &error), 0);
    CHECK_NUMBER(session_dir_remove(state, A, &error), 0);
    CHECK_NUMBER(session_dir_find(state, "x", false, uuid, &error), 0);
    CHECK_STRING(uuid, B);
    free(state);
}

TEST(listing)
{
    char *state = scratch_folder();
    struct error error;
    json_t *list;
    int damaged, lock;

    CHECK_NUMBER(create(state, C, "c", "initializing", &error), 0);
    CHECK_NUMBER(create(state, A, "a", "thinking", &error), 0);
    CHECK_NUMBER(create(state, B, "b", "thinking", &error), 0);
    lock = hold(state, B);
    list = session_dir_list(state, &damaged, &error);
    CHECK_NUMBER(json_array_size(list), 3);
    CHECK_NUMBER(damaged, 0);
    CHECK_STRING(json_member_string(json_array_get(list, 0), "id", ""), A);
    CHECK_STRING(json_member_string(json_array_get(list, 0), "phase", ""), "lost");
    CHECK_NUMBER(json_member_bool(json_array_get(list, 0), "alive", -1), 0);
    CHECK(json_object_get(json_array_get(list, 0), "start") == NULL);
    CHECK_STRING(json_member_string(json_array_get(list, 1), "phase", ""), "thinking");
    CHECK_NUMBER(json_member_bool(json_array_get(list, 1), "alive", -1), 1);
    CHECK_STRING(json_member_string(json_array_get(list, 2), "phase", ""), "initializing");
    json_decref(list);
    age(state, C, 60);
    free(file_of(state, A, "{\"format\":1,"));
    list = session_dir_list(state, &damaged, &error);
    CHECK_NUMBER(json_array_size(list), 2);
    CHECK_NUMBER(damaged, 1);
    CHECK_STRING(json_member_string(json_array_get(list, 1), "phase", ""), "lost");
    json_decref(list);
    close(lock);
    free(state);
}

TEST(damaged_and_newer_files_say_what_to_do)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"format\":1,\n\"name\":",
         "session.json is damaged (unexpected token near end of file, line 2): the"},
        {"", "session.json is damaged ('[' or '{' expected near end of file, line 1): the recordings beside "
             "it can be "
             "played with `ganger replay FILE`; `ganger doctor --mend` rebuilds it, `ganger rm " A
             "` removes the session"},
        {"[]", "session.json is damaged (not a session, line 1): "},
        {"{\"name\":\"x\"}", "session.json is damaged (not a session, line 1): "},
        {"{\"format\":2}", "session.json has format 2, this ganger reads 1: install a newer ganger"},
    };
    char *state = scratch_folder();
    struct error error;

    CHECK_NUMBER(create(state, A, "x", "idle", &error), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        free(file_of(state, A, cases[i].text));
        CHECK(session_dir_read(state, A, &error) == NULL);
        if (strstr(error.text, cases[i].message) == NULL)
            TEST_FAIL("case %zu: %s", i, error.text);
    }
    CHECK_NUMBER(session_dir_remove(state, A, &error), 0);
    CHECK(session_dir_read(state, A, &error) == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    free(state);
}

TEST(a_state_folder_that_cannot_be_used)
{
    char *folder = scratch_folder(), *state = scratch_file(folder, "state", "x", 1);
    struct error error = {0};

    CHECK_NUMBER(create(state, A, "x", "idle", &error), -1);
    CHECK(strstr(error.text, "Not a directory") != NULL);
    free(state);
    free(folder);
}

TEST(a_full_disk_leaves_the_old_file)
{
    char *state = scratch_folder();
    struct error error;
    pid_t child;
    json_t *session;
    int status;

    CHECK_NUMBER(create(state, A, "x", "idle", &error), 0);
    child = fork();
    if (child == 0) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        struct rlimit none = {0, 0};
        (void)sigaction(SIGXFSZ, &ignore, NULL);
        (void)setrlimit(RLIMIT_FSIZE, &none);
        session = json_pack("{s:s}", "phase", "tool");
        status = session_dir_write(state, A, session, &error) == -1 && error.code == EFBIG &&
                 strstr(error.text, "cannot write session.json in ") != NULL;
        json_decref(session);
        _exit(status ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_NUMBER(status, 0);
    session = session_dir_read(state, A, &error);
    CHECK_STRING(json_member_string(session, "phase", ""), "idle");
    json_decref(session);
    free(state);
}

TEST_MAIN
