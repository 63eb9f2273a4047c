#include "test.h"
#include "tui/keymap.h"

static struct keymap *make(const char *keys, struct error *error)
{
    json_t *object = json_loads(keys, 0, NULL);
    struct keymap *keymap = keymap_create(object, error);

    json_decref(object);
    return keymap;
}

static const char *name_of(const struct keymap *keymap, const char *key_name, bool in_pane)
{
    const struct action *action;
    struct key key;

    if (key_parse(key_name, &key) < 0)
        return "no key";
    action = keymap_find(keymap, key, in_pane);
    return action == NULL ? "none" : action->name;
}

TEST(defaults)
{
    struct error error;
    struct keymap *keymap = make("{\"prefix\":\"C-a\"}", &error);

    CHECK(keymap != NULL);
    CHECK_STRING(name_of(keymap, "n", false), "new");
    CHECK_STRING(name_of(keymap, "X", false), "remove");
    CHECK_STRING(name_of(keymap, "Tab", false), "focus-next");
    CHECK_STRING(name_of(keymap, "n", true), "none");
    CHECK_STRING(name_of(keymap, "C-l", true), "none");
    keymap_destroy(keymap);
}

TEST(every_default_key_has_one_action)
{
    struct error error;
    struct keymap *keymap = make("{}", &error);
    size_t count;
    const struct action *actions = actions_all(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; actions[i].keys[k] != NULL; k++)
            CHECK_STRING(name_of(keymap, actions[i].keys[k], false), actions[i].name);
        CHECK(actions_find(actions[i].name) == &actions[i]);
    }
    keymap_destroy(keymap);
}

TEST(configured_keys_replace_and_work_in_panes)
{
    struct error error;
    struct keymap *keymap =
        make("{\"prefix\":\"C-b\",\"prompt\":[\"F2\",\"P\"],\"focus-2\":\"M-2\"}", &error);
    char keys[64];

    CHECK(keymap != NULL);
    CHECK_NUMBER(keymap_prefix(keymap).code, 'b');
    CHECK_STRING(name_of(keymap, "p", false), "none");
    CHECK_STRING(name_of(keymap, "F2", false), "prompt");
    CHECK_STRING(name_of(keymap, "F2", true), "prompt");
    CHECK_STRING(name_of(keymap, "P", true), "none");
    CHECK_STRING(name_of(keymap, "M-2", true), "focus-2");
    keymap_describe(keymap, actions_find("prompt"), keys, sizeof keys);
    CHECK_STRING(keys, "F2, P");
    keymap_describe(keymap, actions_find("prompt"), keys, 4);
    CHECK_STRING(keys, "F2");
    keymap_destroy(keymap);
}

TEST(mistakes_are_named)
{
    struct error error;

    CHECK(make("{\"fly\":\"f\"}", &error) == NULL);
    CHECK(strstr(error.text, "keys.fly") != NULL);
    CHECK(make("{\"new\":\"Nowhere\"}", &error) == NULL);
    CHECK(strstr(error.text, "\"Nowhere\"") != NULL);
    CHECK(make("{\"prefix\":\"\"}", &error) == NULL);
    CHECK(strstr(error.text, "keys.prefix") != NULL);
}

TEST_MAIN
