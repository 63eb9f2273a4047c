#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "config/accounts.h"
#include "config/config.h"
#include "scratch.h"
#include "test.h"

/* The home directory of the tests. */
#define HOME "/nowhere/home"

/* Loads a configuration with these accounts; fills `message` with what was wrong, without the folder. */
static bool accepted(const char *accounts, char *message, size_t size)
{
    char *text = xasprintf("{\"accounts\": {%s}}", accounts);
    char *folder = scratch_folder(), *path = scratch_file(folder, "config.json", text, strlen(text));
    struct error error = {0};
    struct config *config;
    bool good;

    if (setenv("HOME", HOME, 1) < 0 || unsetenv("CODEX_HOME") < 0)
        abort();
    config = config_load(path, &error);
    good = config != NULL;
    if (!good)
        (void)snprintf(message, size, "%s", error.text + strlen(folder) + 1);
    config_destroy(config);
    free(path);
    free(folder);
    free(text);
    return good;
}

static const char *const fine[] = {
    "",
    "\"a\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"/x\"}},"
    "\"b\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"/x/y\"}}",
    /* another agent's variable, the agent's own directory once */
    "\"a\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"/x\"}},"
    "\"b\": {\"agent\": \"claude\", \"env\": {\"CODEX_HOME\": \"/x\"}}, \"c\": {\"agent\": \"codex\"}",
    /* where that is, is known when it is run */
    "\"a\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": {\"file\": \"/k\"}}},"
    "\"b\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": {\"file\": \"/k\"}}}",
    /* homes of their own */
    "\"a\": {\"agent\": \"codex\", \"env\": {\"HOME\": \"/x\"}}, \"b\": {\"agent\": \"codex\"}",
    /* nothing is known of these */
    "\"a\": {\"agent\": \"command\"}, \"b\": {\"agent\": \"command\"}",
    "\"a\": {\"agent\": \"qwen\", \"env\": {\"QWEN_HOME\": \"~/q\"}}, \"b\": {\"agent\": \"pi\"}",
};

TEST(accounts_with_directories_of_their_own)
{
    char message[512];

    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        if (!accepted(fine[i], message, sizeof message))
            TEST_FAIL("refused: %s: %s", fine[i], message);
    }
}

#define TWO(first, second)                                                                                   \
    "\"a\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"" first "\"}},\n"                             \
    "\"b\": {\"agent\": \"codex\",\n\"env\": {\n\"CODEX_HOME\": \"" second "\"}}"
#define SHARED(as, with)                                                                                     \
    "config.json:4: accounts.b.env.CODEX_HOME: expected a directory of its own, \"" as                       \
    "\" is that of account " with

static const struct {
    const char *accounts, *message;
} refused[] = {
    {"\"a b\": {\"agent\": \"claude\"}",
     "config.json:1: accounts[\"a b\"]: expected a name of letters, digits, \".\", \"_\" and \"-\""},
    {"\"a\": {\"agent\": \"claude\", \"env\": {\"CLAUDE_CONFIG_DIR\": \"work\"}}",
     "config.json:1: accounts.a.env.CLAUDE_CONFIG_DIR: expected an absolute path, or one that begins with "
     "\"~/\", not \"work\""},
    {"\"a\": {\"agent\": \"claude\", \"env\": {\"CLAUDE_CONFIG_DIR\": \"~me/work\"}}",
     "config.json:1: accounts.a.env.CLAUDE_CONFIG_DIR: expected an absolute path, or one that begins with "
     "\"~/\", not \"~me/work\""},
    {TWO("/x/y", "/x/y"), SHARED("/x/y", "a")},
    {TWO("/x/y", "/x//./y/"), SHARED("/x//./y/", "a")},
    {TWO("~/y", HOME "/y/"), SHARED(HOME "/y/", "a")},
    {TWO(HOME "/.codex", "~/.codex"), SHARED("~/.codex", "a")},
    {"\"a\": {\"agent\": \"codex\"},\n\n\n\"b\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": "
     "\"~/.codex\"}}",
     SHARED("~/.codex", "a")},
    {"\"a\": {\"agent\": \"codex\"},\n\"b\": {\"agent\": \"codex\"}",
     "config.json:2: accounts.b: expected a directory of its own, \"" HOME
     "/.codex\" is that of account a: set CODEX_HOME"},
    {"\"a\": {\"agent\": \"gemini\"},\n\"b\": {\"agent\": \"gemini\", \"env\": {\"GEMINI_CLI_HOME\": \"~\"}}",
     "config.json:2: accounts.b.env.GEMINI_CLI_HOME: expected a directory of its own, \"~\" is that of "
     "account a"},
};

TEST(two_accounts_on_one_directory_are_refused)
{
    char message[512];

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (accepted(refused[i].accounts, message, sizeof message))
            TEST_FAIL("accepted: %s", refused[i].accounts);
        CHECK_STRING(message, refused[i].message);
    }
}

TEST(a_symbolic_link_is_where_it_leads)
{
    char *folder = scratch_folder(), *real = path_join(folder, "real"), *link = path_join(folder, "link");
    char message[512];
    char *accounts;

    CHECK(mkdir(real, 0700) == 0 && symlink("real", link) == 0);
    accounts = xasprintf("\"a\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"%s\"}},"
                         "\"b\": {\"agent\": \"codex\", \"env\": {\"CODEX_HOME\": \"%s/\"}}",
                         real, link);
    CHECK(!accepted(accounts, message, sizeof message));
    CHECK(strstr(message, "is that of account a") != NULL);
    free(accounts);
    free(link);
    free(real);
    free(folder);
}

TEST_MAIN
