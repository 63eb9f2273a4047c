#include "config/crew.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "base/utf8.h"
#include "config/json_file.h"
#include "config/schema.h"

EMBED(schema_text, "src/config/crew_schema.json");

const char *crew_schema(void)
{
    return schema_text;
}

/* ---- what the schema cannot say ---- */

static int parse_size(const char *text, int *cols, int *rows)
{
    char end;

    return sscanf(text, "%4dx%4d%c", cols, rows, &end) == 2 && *cols >= 2 && *cols <= 1000 && *rows >= 2 &&
                   *rows <= 500
               ? 0
               : -1;
}

static int refuse(struct key_path *path, const char *key, struct buffer *problem, const char *text)
{
    key_path_push_key(path, key);
    buffer_append_string(problem, text);
    return -1;
}

static int check_size(const json_t *entry, struct key_path *path, struct buffer *problem)
{
    const char *size = json_member_string(entry, "size", NULL);
    int cols, rows;

    if (size == NULL || parse_size(size, &cols, &rows) == 0)
        return 0;
    return refuse(path, "size", problem, "expected COLUMNSxROWS from 2x2 to 1000x500, such as \"120x40\"");
}

static int check_command(const json_t *entry, struct key_path *path, struct buffer *problem)
{
    const json_t *command = json_object_get(entry, "command");
    const char *agent = json_member_string(entry, "agent", NULL);

    if (command == NULL)
        return agent == NULL || strcmp(agent, "command") != 0
                   ? 0
                   : refuse(path, "agent", problem, "expected the key command beside it");
    if (json_string_length(json_array_get(command, 0)) == 0)
        return refuse(path, "command", problem, "expected the name of a program first, not an empty string");
    if (json_object_get(entry, "prompt") != NULL)
        return refuse(path, "prompt", problem, "expected either a prompt or a command, not both");
    if (agent != NULL && strcmp(agent, "command") != 0)
        return refuse(path, "agent", problem, "expected either an agent or a command, not both");
    return 0;
}

static int check_session(const char *name, const json_t *entry, struct key_path *path, struct buffer *problem)
{
    if (!name_valid(name)) {
        buffer_append_string(problem, "expected a name of a letter or digit, then up to 62 letters, digits, "
                                      "dots, underscores and dashes");
        return -1;
    }
    if (check_size(entry, path, problem) < 0)
        return -1;
    return check_command(entry, path, problem);
}

static int check_defaults(const json_t *root, struct key_path *path, struct buffer *problem)
{
    const json_t *defaults = json_object_get(root, "defaults");

    key_path_push_key(path, "defaults");
    if (check_size(defaults, path, problem) < 0)
        return -1;
    if (strcmp(json_member_string(defaults, "agent", ""), "command") == 0)
        return refuse(path, "agent", problem, "expected an agent: a session's key command needs none");
    key_path_pop(path);
    return 0;
}

static int check_rules(const json_t *root, struct key_path *path, struct buffer *problem)
{
    const json_t *sessions = json_object_get(root, "sessions");
    const char *name;
    json_t *entry;

    if (check_defaults(root, path, problem) < 0)
        return -1;
    key_path_push_key(path, "sessions");
    if (json_object_size(sessions) == 0 || json_object_size(sessions) > CREW_SESSIONS_MAX) {
        buffer_printf(problem, "expected 1 to %d sessions, not %zu", CREW_SESSIONS_MAX,
                      json_object_size(sessions));
        return -1;
    }
    json_object_foreach((json_t *)(uintptr_t)sessions, name, entry)
    {
        key_path_push_key(path, name);
        if (check_session(name, entry, path, problem) < 0)
            return -1;
        key_path_pop(path);
    }
    key_path_pop(path);
    return 0;
}

/* ---- paths ---- */

char *crew_path(const char *file, struct error *error)
{
    const char *slash;
    char *path, *folder, *whole;

    if (file == NULL)
        file = CREW_FILE;
    path = realpath(file, NULL);
    slash = strrchr(file, '/');
    if (path == NULL && errno == ENOENT && *file != '\0') {
        folder = slash != NULL ? xstrndup(file, (size_t)(slash - file) + 1) : xstrdup(".");
        whole = realpath(folder, NULL);
        if (whole != NULL)
            path = path_join(strcmp(whole, "/") == 0 ? "" : whole, slash != NULL ? slash + 1 : file);
        free(folder);
        free(whole);
    }
    if (path == NULL)
        (void)error_errno(error, "cannot find %s", file);
    else if (utf8_valid(path, strlen(path)))
        return path;
    else
        (void)error_set(error, "the path of a crew file must be valid UTF-8: use another folder");
    free(path);
    return NULL;
}

/* A path of the file's: absolute, below the home directory, or from the file's folder on. */
static char *resolve(const char *crew, const char *path)
{
    const char *home = getenv("HOME");
    int folder = (int)(strrchr(crew, '/') - crew);

    if (path[0] == '/')
        return xstrdup(path);
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && home != NULL)
        return xasprintf("%s%s", home, path + 1);
    return strcmp(path, ".") == 0 && folder > 0 ? xstrndup(crew, (size_t)folder)
                                                : xasprintf("%.*s/%s", folder, crew, path);
}

/* ---- sessions ---- */

static const char *either(const json_t *entry, const json_t *defaults, const char *key)
{
    return json_member_string(entry, key, json_member_string(defaults, key, NULL));
}

/* An account belongs to an agent: who says another agent does not get the default one. */
static const char *account_of(const json_t *entry, const json_t *defaults)
{
    const char *agent = json_member_string(entry, "agent", NULL);
    bool other = agent != NULL && strcmp(agent, json_member_string(defaults, "agent", "")) != 0;

    return either(entry, other ? NULL : defaults, "account");
}

static char **words_of(const json_t *command)
{
    char **words = xcalloc(json_array_size(command) + 1, sizeof *words);
    const json_t *word;
    size_t i;

    json_array_foreach(command, i, word)
    {
        words[i] = xstrdup(json_string_value(word));
    }
    return words;
}

static int read_prompt(const char *crew, const json_t *entry, struct crew_session *session,
                       struct error *error)
{
    const json_t *prompt = json_object_get(entry, "prompt");
    struct error reading;
    size_t length;
    char *path;
    int result = 0;

    if (json_is_string(prompt))
        session->prompt = xstrdup(json_string_value(prompt));
    if (!json_is_object(prompt))
        return 0;
    path = resolve(crew, json_member_string(prompt, "file", ""));
    if (path_read_file(path, CREW_PROMPT_MAX, &session->prompt, &length, &reading) < 0) {
        result = error_set(error, "%s: sessions.%s.prompt.file: %s", crew, session->name, reading.text);
    } else if (strlen(session->prompt) != length || !utf8_valid(session->prompt, length)) {
        result = error_set(error, "%s: sessions.%s.prompt.file: %s is not text in UTF-8", crew, session->name,
                           path);
    } else {
        while (length > 0 && session->prompt[length - 1] == '\n')
            session->prompt[--length] = '\0';
        if (length == 0)
            result = error_set(error, "%s: sessions.%s.prompt.file: %s is empty", crew, session->name, path);
    }
    free(path);
    return result;
}

static int take_session(const char *crew, const char *name, const json_t *entry, const json_t *defaults,
                        struct crew_session *session, struct error *error)
{
    const json_t *command = json_object_get(entry, "command"), *shared = command != NULL ? NULL : defaults;
    const char *size = either(entry, defaults, "size"), *folder = either(entry, defaults, "cwd");

    session->name = name;
    session->agent = either(entry, shared, "agent");
    session->account = account_of(entry, shared);
    session->mode = either(entry, shared, "mode");
    session->folder = resolve(crew, folder != NULL ? folder : ".");
    session->timeout_s = json_member_number(entry, "timeout_s", json_member_number(defaults, "timeout_s", 0));
    if (command != NULL)
        session->command = words_of(command);
    if (size != NULL)
        (void)parse_size(size, &session->cols, &session->rows);
    return read_prompt(crew, entry, session, error);
}

static int take_sessions(struct crew *crew, struct error *error)
{
    const json_t *sessions = json_object_get(crew->values, "sessions");
    const json_t *defaults = json_object_get(crew->values, "defaults");
    const char *name;
    json_t *entry;

    crew->sessions = xcalloc(json_object_size(sessions), sizeof *crew->sessions);
    json_object_foreach((json_t *)(uintptr_t)sessions, name, entry)
    {
        if (take_session(crew->path, name, entry, defaults, &crew->sessions[crew->count++], error) < 0)
            return -1;
    }
    return 0;
}

/* Nothing but white space. */
static bool is_blank(const char *path)
{
    size_t length;
    char *text;
    bool blank;

    if (path_read_file(path, JSON_FILE_MAX, &text, &length, NULL) < 0)
        return false;
    blank = strlen(text) == length && strspn(text, " \t\r\n") == length;
    free(text);
    return blank;
}

struct crew *crew_load(const char *file, struct error *error)
{
    json_t *schema = json_loads(schema_text, 0, NULL);
    struct crew *crew = xcalloc(1, sizeof *crew);

    if (schema == NULL)
        abort();
    crew->path = crew_path(file, error);
    if (crew->path != NULL && is_blank(crew->path))
        (void)error_set(error, "%s: the file is empty: a crew has \"sessions\", see ganger-crew(5)",
                        crew->path);
    else if (crew->path != NULL)
        crew->values = json_file_read(crew->path, false, schema, check_rules, error);
    json_decref(schema);
    if (crew->values == NULL || take_sessions(crew, error) < 0) {
        crew_destroy(crew);
        return NULL;
    }
    return crew;
}

void crew_destroy(struct crew *crew)
{
    if (crew == NULL)
        return;
    for (size_t i = 0; i < crew->count; i++) {
        struct crew_session *session = &crew->sessions[i];
        for (char **word = session->command; word != NULL && *word != NULL; word++)
            free(*word);
        free(session->command);
        free(session->prompt);
        free(session->folder);
    }
    free(crew->sessions);
    json_decref(crew->values);
    free(crew->path);
    free(crew);
}
