#include "tui/theme.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "rpc/frame.h"
#include "tui/screen.h"

#define THEME_FILE_MAX (256 * 1024)

EMBED(theme_dark, "themes/dark.json");
EMBED(theme_light, "themes/light.json");

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_TEXT] = "text",
    [ROLE_DIM] = "dim",
    [ROLE_STRONG] = "strong",
    [ROLE_ACCENT] = "accent",
    [ROLE_BORDER] = "border",
    [ROLE_BORDER_FOCUSED] = "border_focused",
    [ROLE_TITLE] = "title",
    [ROLE_TITLE_FOCUSED] = "title_focused",
    [ROLE_SELECTED] = "selected",
    [ROLE_STATUS] = "status",
    [ROLE_STATUS_MODE] = "status_mode",
    [ROLE_STATUS_KEY] = "status_key",
    [ROLE_STATUS_ERROR] = "status_error",
    [ROLE_ATTENTION] = "attention",
    [ROLE_ERROR] = "error",
    [ROLE_LIMITED] = "limited",
    [ROLE_WORKING] = "working",
    [ROLE_IDLE] = "idle",
    [ROLE_ENDED] = "ended",
    [ROLE_MATCH] = "match",
    [ROLE_COPY] = "copy",
    [ROLE_FIELD] = "field",
    [ROLE_BAR] = "bar",
};

static int parse_colour(const json_t *value, uint32_t *colour)
{
    const char *text = json_string_value(value);
    unsigned rgb;
    char end;

    *colour = FRAME_COLOR_DEFAULT;
    if (value == NULL)
        return 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= 255) {
        *colour = (uint32_t)json_integer_value(value);
        return 0;
    }
    if (text == NULL || strlen(text) != 7 || sscanf(text, "#%6x%c", &rgb, &end) != 1)
        return -1;
    *colour = FRAME_COLOR_RGB | rgb;
    return 0;
}

static int parse_look(const json_t *value, struct theme_look *look)
{
    static const struct {
        const char *name;
        uint16_t bit;
    } attributes[] = {
        {"bold", STYLE_BOLD}, {"dim", STYLE_DIM}, {"italic", STYLE_ITALIC}, {"reverse", STYLE_REVERSE}};

    if (parse_colour(json_object_get(value, "fg"), &look->foreground) < 0 ||
        parse_colour(json_object_get(value, "bg"), &look->background) < 0)
        return -1;
    look->attributes = 0;
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if (json_is_true(json_object_get(value, attributes[i].name)))
            look->attributes |= attributes[i].bit;
    }
    look->underline = json_is_true(json_object_get(value, "underline"));
    return 0;
}

static int role_find(const char *name)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (strcmp(role_names[role], name) == 0)
            return role;
    }
    return -1;
}

int theme_parse(struct theme *theme, const char *text, const char *where, struct error *error)
{
    json_error_t problem;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &problem), *value;
    const char *key;
    int result = 0;

    for (int role = 0; role < ROLE_COUNT; role++)
        theme->looks[role] =
            (struct theme_look){.foreground = FRAME_COLOR_DEFAULT, .background = FRAME_COLOR_DEFAULT};
    if (root == NULL)
        return error_set(error, "%s:%d: %s", where, problem.line, problem.text);
    json_object_foreach(json_object_get(root, "roles"), key, value)
    {
        int role = role_find(key);
        if (role < 0) {
            result = error_set(error, "%s: roles.%s: there is no such role", where, key);
        } else if (!json_is_object(value) || parse_look(value, &theme->looks[role]) < 0) {
            result =
                error_set(error, "%s: roles.%s: expected {\"fg\": \"#rrggbb\", \"bg\": …, \"bold\": true, …}",
                          where, key);
        }
    }
    json_decref(root);
    return result;
}

/* The text of FOLDER/themes/NAME.json, or NULL. Takes the folder. */
static char *read_theme(char *folder, const char *name, char **path)
{
    char *file = xasprintf("%s.json", name), *text = NULL;
    size_t length;

    *path = NULL;
    if (folder != NULL) {
        *path = path_join(folder, file);
        if (path_read_file(*path, THEME_FILE_MAX, &text, &length, NULL) < 0)
            text = NULL;
    }
    free(file);
    free(folder);
    return text;
}

static char *config_themes(void)
{
    char *config = path_config_dir(NULL), *folder;

    if (config == NULL)
        return NULL;
    folder = path_join(config, "themes");
    free(config);
    return folder;
}

int theme_load(struct theme *theme, const char *name, struct error *error)
{
    char *path = NULL, *text;
    int result;

    (void)theme_parse(theme, theme_dark, "dark", NULL);
    if (strchr(name, '/') != NULL || name[0] == '.')
        return error_set(error, "theme %s: expected the name of a theme, no path", name);
    if (strcmp(name, "auto") == 0)
        return 0;
    text = read_theme(config_themes(), name, &path);
    if (text == NULL && strcmp(name, "dark") == 0) {
        free(path);
        return 0;
    }
    if (text == NULL && strcmp(name, "light") == 0) {
        free(path);
        return theme_parse(theme, theme_light, "light", error);
    }
    if (text == NULL) {
        free(path);
        text = read_theme(path_installed("themes", NULL), name, &path);
    }
    if (text == NULL)
        result = error_set(error, "theme %s: there is no %s.json in the themes folders", name, name);
    else
        result = theme_parse(theme, text, path, error);
    if (result < 0)
        (void)theme_parse(theme, theme_dark, "dark", NULL);
    free(text);
    free(path);
    return result;
}
