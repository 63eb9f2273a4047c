#include "cli/search_units.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "store/recording_names.h"
#include "store/session_dir.h"

static void add_session(struct search_units *units, const char *uuid, const json_t *session)
{
    struct search_session *added;
    const char *name = json_member_string(session, "name", uuid);
    char owner[UUID_SIZE];
    struct error ignored;

    for (size_t i = 0; i < units->session_count; i++) {
        if (strcmp(units->sessions[i].uuid, uuid) == 0)
            return;
    }
    units->sessions = xreallocarray(units->sessions, units->session_count + 1, sizeof *units->sessions);
    added = &units->sessions[units->session_count++];
    (void)snprintf(added->uuid, sizeof added->uuid, "%s", uuid);
    added->name = cli_clean(name, strlen(name));
    added->reference = xstrdup(session_dir_find(cli_state_dir(), name, false, owner, &ignored) == 0 &&
                                       strcmp(owner, uuid) == 0
                                   ? name
                                   : uuid);
}

static int find_sessions(struct search_units *units, char **references, int count, int *damaged,
                         struct error *error)
{
    json_t *list = count > 0 ? NULL : session_dir_list(cli_state_dir(), damaged, error);
    const json_t *session;
    size_t index;

    if (count == 0 && list == NULL)
        return -1;
    json_array_foreach(list, index, session)
    {
        add_session(units, json_member_string(session, "id", ""), session);
    }
    json_decref(list);
    for (int i = 0; i < count; i++) {
        char uuid[UUID_SIZE];
        struct error ignored;
        json_t *read;
        cli_find(references[i], true, uuid);
        read = session_dir_read(cli_state_dir(), uuid, &ignored);
        add_session(units, uuid, read);
        json_decref(read);
    }
    return 0;
}

static void add_units(struct search_units *units, const struct search_session *session)
{
    struct error ignored;
    struct recording_name *names = NULL;
    size_t count = 0;
    int folder = session_dir_open(cli_state_dir(), session->uuid, &ignored);

    if (folder < 0)
        return;
    if (recording_list(folder, &names, &count, &ignored) < 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        struct search_unit *last = units->count > 0 ? &units->units[units->count - 1] : NULL;
        bool same = last != NULL && last->session == session && last->attempt == names[i].attempt;
        if (same && last->part == names[i].part)
            continue;
        units->units = xreallocarray(units->units, units->count + 1, sizeof *units->units);
        last = units->count > 0 ? &units->units[units->count - 1] : NULL;
        if (same && last != NULL)
            last->next = names[i].part;
        units->units[units->count] =
            (struct search_unit){.session = session, .attempt = names[i].attempt, .part = names[i].part};
        if (same && last != NULL)
            units->units[units->count].previous = last->part;
        units->count++;
    }
    free(names);
    close(folder);
}

int search_units_find(struct search_units *units, char **references, int count, int *damaged,
                      struct error *error)
{
    *units = (struct search_units){.count = 0};
    *damaged = 0;
    if (find_sessions(units, references, count, damaged, error) < 0)
        return -1;
    for (size_t i = 0; i < units->session_count; i++)
        add_units(units, &units->sessions[i]);
    return 0;
}

void search_units_finish(struct search_units *units)
{
    for (size_t i = 0; i < units->session_count; i++) {
        free(units->sessions[i].name);
        free(units->sessions[i].reference);
    }
    free(units->sessions);
    free(units->units);
    *units = (struct search_units){.count = 0};
}
