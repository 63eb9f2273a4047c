#include "host/watch.h"

#include <string.h>

#include "base/json.h"
#include "host/host.h"

static json_t *turn_or_null(const struct host *host)
{
    const struct turn *turn = &host->activity.turn;

    return turn->open ? json_integer((json_int_t)turn->number) : json_null();
}

static const char *working_folder(const struct host *host)
{
    return json_member_string(host->session.start, "cwd",
                              json_member_string(host->session.object, "cwd", "/"));
}

/* Relative to the working folder when it is in there. */
static const char *shown_path(const struct host *host, const char *path)
{
    const char *folder = working_folder(host);
    size_t length = strlen(folder);

    while (length > 0 && folder[length - 1] == '/')
        length--;
    if (strncmp(path, folder, length) == 0 && path[length] == '/')
        path += length + 1;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    return path;
}

void watch_tool_change(struct host *host, const struct tool_change *change)
{
    json_t *members =
        json_pack("{so ss ss so so}", "path", json_string_or_null(shown_path(host, change->path)), "change",
                  change->change, "source", "tool", "tool", json_string_or_null(change->tool), "turn",
                  turn_or_null(host));

    if (change->lines_added >= 0)
        json_object_set_new(members, "lines_added", json_integer(change->lines_added));
    if (change->lines_removed >= 0)
        json_object_set_new(members, "lines_removed", json_integer(change->lines_removed));
    (void)events_emit(host, "file_changed", members);
}

void watch_tool_changed(struct host *host, const char *path, const char *change, const char *tool)
{
    watch_tool_change(host, &(struct tool_change){path, change, tool, -1, -1});
}
