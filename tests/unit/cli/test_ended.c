/* Commands on sessions that have ended: everything is on disk, no host is there. */
#include "command.h"
#include "store/session_dir.h"
#include "test.h"

static char *folder, *state;

/* An ended session with events; returns its UUID, which the caller frees. */
static char *ended_session(const char *name, const char *phase, const char *events)
{
    char *uuid = xmalloc(UUID_SIZE), *path, *written;
    struct error error;
    json_t *session;

    uuid_generate(uuid);
    session = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:{}}", "id", uuid, "name", name, "agent",
                        "command", "phase", phase, "attempt", 1, "cwd", "/tmp", "created_at",
                        "2026-11-21T00:00:00.000Z", "phase_since", "2026-11-21T00:00:00.000Z", "start");
    if (session_dir_create(state, uuid, name, session, &error) < 0)
        abort();
    json_decref(session);
    path = session_dir_path(state, uuid);
    written = scratch_file(path, SESSION_EVENTS, events, strlen(events));
    free(written);
    free(path);
    return uuid;
}

__attribute__((constructor)) static void begin(void)
{
    static const char first[] =
        "{\"seq\":1,\"time\":\"2026-11-21T00:00:01.000Z\",\"session\":\"one\",\"type\":\"prompt_queued\","
        "\"prompt_id\":\"p\"}\n"
        "{\"seq\":2,\"time\":\"2026-11-21T00:00:03.000Z\",\"session\":\"one\",\"type\":\"turn_ended\","
        "\"prompt_id\":\"p\","
        "\"outcome\":\"completed\"}\n"
        "{\"seq\":3,\"time\":\"2026-11-21T00:00:05.000Z\",\"session\":\"one\",\"type\":\"prompt_queued\","
        "\"prompt_id\":\"q\"}\n"
        "{\"seq\":4,\"time\":\"2026-11-21T00:00:06.000Z\",\"session\":\"one\",\"type\":\"session_ended\"}\n";
    static const char second[] =
        "{\"seq\":1,\"time\":\"2026-11-21T00:00:02.000Z\",\"session\":\"two\",\"type\":\"phase\",\"cost\":0."
        "1}\n"
        "{\"seq\":2,\"time\":\"2026-11-21T00:00:04.000Z\",\"session\":\"two\",\"type\":\"session_ended\"}\n";
    folder = scratch_folder();
    command_folders(folder);
    state = path_join(folder, "STATE");
    if (path_make_dirs(state, 0700, NULL) < 0)
        abort();
    free(ended_session("one", "completed", first));
    free(ended_session("two", "failed", second));
}

__attribute__((destructor)) static void end(void)
{
    free(state);
    free(folder);
}

/* The session and number of each event printed, "one1 two1 …". */
static const char *order(void)
{
    static char text[256];
    size_t length = 0;

    text[0] = '\0';
    for (char *line = command_output; (line = strstr(line, "{\"seq\":")) != NULL; line++) {
        char name[8];
        int seq;
        if (sscanf(line, "{\"seq\":%d,\"time\":\"%*[^\"]\",\"session\":\"%7[^\"]\"", &seq, name) != 2)
            return "?";
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s%d", length > 0 ? " " : "", name, seq);
    }
    return text;
}

TEST(events_are_merged_by_time)
{
    CHECK_NUMBER(COMMAND("events"), 0);
    CHECK_STRING(order(), "one1 two1 one2 two2 one3 one4");
    CHECK(strstr(command_output, "\"cost\":0.1}") != NULL);
    CHECK_NUMBER(COMMAND("events", "two", "one", "--types", "session_ended"), 0);
    CHECK_STRING(order(), "two2 one4");
    CHECK_NUMBER(COMMAND("events", "--since", "2", "one", "-f"), 0);
    CHECK_STRING(order(), "one3 one4");
}

TEST(a_turn_that_ended_long_ago)
{
    CHECK_NUMBER(COMMAND("wait", "one", "--prompt", "p", "--timeout", "5"), 0);
    CHECK_NUMBER(COMMAND("wait", "one", "--prompt", "q", "--timeout", "5"), 1);
    CHECK(strstr(command_output, "the session ended before the turn did") != NULL);
    CHECK_NUMBER(COMMAND("wait", "one", "--prompt", "r", "--timeout", "5"), 1);
    CHECK(strstr(command_output, "it has had no prompt with the id r") != NULL);
}

TEST(waiting_for_the_phase_of_ended_sessions)
{
    CHECK_NUMBER(COMMAND("wait", "one", "two", "--for", "ended"), 0);
    CHECK_NUMBER(COMMAND("wait", "one", "--for", "failed,completed"), 0);
    CHECK_NUMBER(COMMAND("wait", "one", "two", "--for", "completed"), 1);
    CHECK(strstr(command_output, "two: the session ended: failed") != NULL);
}

TEST(cancel_and_kill_leave_ended_sessions_alone)
{
    CHECK_NUMBER(COMMAND("cancel", "one", "tw"), 0);
    CHECK_STRING(command_output, "one: nothing to cancel\ntw: nothing to cancel\n");
    CHECK_NUMBER(COMMAND("cancel", "--json", "one"), 0);
    CHECK_STRING(command_output, "{\"session\":\"one\",\"state\":\"nothing to cancel\"}\n");
    CHECK_NUMBER(COMMAND("kill", "one"), 0);
    CHECK_NUMBER(COMMAND("kill", "tw"), 1);
    CHECK_NUMBER(COMMAND("send", "one", "text"), 1);
    CHECK(strstr(command_output, "ganger retry") != NULL);
}

TEST(ls_and_show)
{
    json_t *list;

    CHECK_NUMBER(COMMAND("ls"), 0);
    CHECK(strstr(command_output, "one   command") != NULL);
    CHECK_NUMBER(COMMAND("ls", "--json"), 0);
    list = json_loads(command_output, 0, NULL);
    CHECK_NUMBER(json_array_size(list), 2);
    CHECK(json_object_get(json_array_get(list, 0), "alive") == NULL);
    CHECK(json_object_get(json_array_get(list, 0), "start") == NULL);
    json_decref(list);
    CHECK_NUMBER(COMMAND("show", "one"), 0);
    CHECK(strstr(command_output, "phase        completed for ") != NULL);
}

TEST(rm_takes_whole_names)
{
    free(ended_session("three", "killed", ""));
    CHECK_NUMBER(COMMAND("rm", "thre"), 1);
    CHECK_NUMBER(COMMAND("rm", "three"), 0);
    CHECK_NUMBER(COMMAND("show", "three"), 1);
}

TEST_MAIN
