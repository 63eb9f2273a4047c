#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/carry.h"
#include "scratch.h"
#include "test.h"

#define ID "0a1b2c3d-1111-4222-8333-444455556666"

/* Two directories of an agent. */
struct two {
    char *from, *to;
    struct error error;
};

static struct two two_directories(void)
{
    return (struct two){scratch_folder(), scratch_folder(), {0, ""}};
}

static void two_finish(struct two *two)
{
    free(two->from);
    free(two->to);
}

static void put(const char *root, const char *path, const char *text)
{
    char *whole = path_join(root, path), *folder = xstrndup(whole, (size_t)(strrchr(whole, '/') - whole));

    if (path_make_dirs(folder, 0700, NULL) < 0)
        abort();
    free(scratch_file(folder, strrchr(whole, '/') + 1, text, strlen(text)));
    free(folder);
    free(whole);
}

/* What the file says; "" when there is none, or it is open to others. */
static const char *text_of(const char *root, const char *path)
{
    static char text[256];
    char *whole = path_join(root, path);
    int file = open(whole, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    ssize_t got = file < 0 || fstat(file, &status) < 0 || (status.st_mode & 0777) != 0600
                      ? 0
                      : read(file, text, sizeof text - 1);

    text[got > 0 ? got : 0] = '\0';
    if (file >= 0)
        close(file);
    free(whole);
    return text;
}

static bool is_there(const char *root, const char *path)
{
    char *whole = path_join(root, path);
    struct stat status;
    bool there = lstat(whole, &status) == 0;

    free(whole);
    return there;
}

static int carry(struct two *two, const char *agent)
{
    return carry_conversation(agent_driver_find(agent), two->from, two->to, ID, "/home/me/work", &two->error);
}

TEST(a_conversation_of_claude)
{
    struct two two = two_directories();

    put(two.from, "projects/-home-me-work/" ID ".jsonl", "one\ntwo\n");
    put(two.from, "projects/-home-me-work/" ID "/subagents/agent-1.jsonl", "sub\n");
    put(two.from, "projects/-home-me-work/" ID "/.credentials.json", "SECRET");
    put(two.from, "projects/-home-me-work/99999999-1111-4222-8333-444455556666.jsonl", "other\n");
    put(two.from, ".credentials.json", "SECRET");
    put(two.from, "settings.json", "{}");
    CHECK_NUMBER(carry(&two, "claude"), 0);
    CHECK_STRING(text_of(two.to, "projects/-home-me-work/" ID ".jsonl"), "one\ntwo\n");
    CHECK_STRING(text_of(two.to, "projects/-home-me-work/" ID "/subagents/agent-1.jsonl"), "sub\n");
    CHECK(!is_there(two.to, "projects/-home-me-work/" ID "/.credentials.json"));
    CHECK(!is_there(two.to, "projects/-home-me-work/99999999-1111-4222-8333-444455556666.jsonl"));
    CHECK(!is_there(two.to, ".credentials.json") && !is_there(two.to, "settings.json"));
    two_finish(&two);
}

TEST(a_conversation_of_codex)
{
    struct two two = two_directories();

    put(two.from, "sessions/2026/11/21/rollout-2026-11-21T10-00-00-" ID ".jsonl", "one\n");
    put(two.from, "sessions/2026/11/21/rollout-2026-11-21T11-00-00-other.jsonl", "other\n");
    put(two.from, "auth.json", "SECRET");
    CHECK_NUMBER(carry(&two, "codex"), 0);
    CHECK_STRING(text_of(two.to, "sessions/2026/11/21/rollout-2026-11-21T10-00-00-" ID ".jsonl"), "one\n");
    CHECK(!is_there(two.to, "sessions/2026/11/21/rollout-2026-11-21T11-00-00-other.jsonl"));
    CHECK(!is_there(two.to, "auth.json"));
    two_finish(&two);
}

#define CHAT "chats/session-2026-11-21T10-00-0a1b2c3d.jsonl"

TEST(a_conversation_of_gemini)
{
    struct two two = two_directories();

    put(two.from, "tmp/work/.project_root", "/home/me/work");
    put(two.from, "tmp/work/" CHAT, "one\n");
    put(two.from, "tmp/elsewhere/.project_root", "/home/me/elsewhere");
    put(two.from, "tmp/elsewhere/" CHAT, "of another folder\n");
    put(two.from, "oauth_creds.json", "SECRET");
    CHECK_NUMBER(carry(&two, "gemini"), 0);
    CHECK_STRING(text_of(two.to, "tmp/work/" CHAT), "one\n");
    CHECK_STRING(text_of(two.to, "tmp/work/.project_root"), "/home/me/work");
    CHECK(!is_there(two.to, "tmp/elsewhere") && !is_there(two.to, "oauth_creds.json"));
    two_finish(&two);
}

TEST(a_project_may_have_another_name_there)
{
    struct two two = two_directories();

    put(two.from, "tmp/work/.project_root", "/home/me/work\n");
    put(two.from, "tmp/work/" CHAT, "one\n");
    put(two.to, "tmp/work/.project_root", "/home/you/work");
    CHECK_NUMBER(carry(&two, "gemini"), 0);
    CHECK_STRING(text_of(two.to, "tmp/work-2/" CHAT), "one\n");
    CHECK(!is_there(two.to, "tmp/work/chats"));
    two_finish(&two);

    two = two_directories();
    put(two.from, "tmp/work/.project_root", "/home/me/work");
    put(two.from, "tmp/work/" CHAT, "one\n");
    put(two.to, "tmp/mine/.project_root", "/home/me/work");
    CHECK_NUMBER(carry(&two, "gemini"), 0);
    CHECK_STRING(text_of(two.to, "tmp/mine/" CHAT), "one\n");
    CHECK(!is_there(two.to, "tmp/work"));
    two_finish(&two);
}

#define FILE_OF "projects/-home-me-work/" ID ".jsonl"

TEST(a_longer_file_stays)
{
    struct two two = two_directories();

    put(two.from, FILE_OF, "one\n");
    put(two.to, FILE_OF, "one\ntwo\n");
    CHECK_NUMBER(carry(&two, "claude"), -1);
    CHECK_NUMBER(two.error.code, EEXIST);
    put(two.from, FILE_OF, "one\ntwo\nthree\n");
    CHECK_NUMBER(carry(&two, "claude"), 0);
    CHECK_STRING(text_of(two.to, FILE_OF), "one\ntwo\nthree\n");
    CHECK(!is_there(two.to, "projects/-home-me-work/.carried"));
    two_finish(&two);
}

TEST(no_link_is_followed)
{
    struct two two = two_directories();
    char *outside = scratch_folder(), *target = scratch_file(outside, "secret", "SECRET", 6);
    char *link = path_join(two.from, FILE_OF), *folder;

    put(two.from, "projects/-home-me-work/x", "x");
    CHECK(symlink(target, link) == 0);
    CHECK_NUMBER(carry(&two, "claude"), -1);
    CHECK_NUMBER(two.error.code, ENOENT);
    CHECK(!is_there(two.to, FILE_OF));

    /* nor one that is in the way there */
    CHECK(unlink(link) == 0);
    put(two.from, FILE_OF, "one\n");
    folder = path_join(two.to, "projects");
    CHECK(symlink(outside, folder) == 0);
    CHECK_NUMBER(carry(&two, "claude"), -1);
    CHECK(!is_there(outside, "-home-me-work"));
    free(folder);
    free(link);
    free(target);
    free(outside);
    two_finish(&two);
}

TEST(accounts_that_share_their_conversations)
{
    struct two two = two_directories();
    char *shared = path_join(two.from, "projects"), *link = path_join(two.to, "projects");

    put(two.from, FILE_OF, "one\n");
    CHECK(symlink(shared, link) == 0);
    CHECK_NUMBER(carry(&two, "claude"), 0);
    free(link);
    free(shared);
    two_finish(&two);
}

TEST(what_cannot_be_carried)
{
    struct two two = two_directories();

    CHECK_NUMBER(carry(&two, "opencode"), -1);
    CHECK_NUMBER(two.error.code, ENOTSUP);
    CHECK_STRING(two.error.text, "opencode cannot take a conversation to another account");
    CHECK_NUMBER(carry(&two, "claude"), -1);
    CHECK_NUMBER(two.error.code, ENOENT);
    CHECK_NUMBER(
        carry_conversation(agent_driver_find("claude"), two.from, two.to, "../../x", "/", &two.error), -1);
    CHECK_NUMBER(
        carry_conversation(agent_driver_find("claude"), two.from, two.to, "********", "/", &two.error), -1);
    CHECK_NUMBER(carry_conversation(agent_driver_find("claude"), "/nowhere", two.to, ID, "/", &two.error),
                 -1);
    CHECK_NUMBER(two.error.code, ENOENT);
    two_finish(&two);
}

TEST_MAIN
