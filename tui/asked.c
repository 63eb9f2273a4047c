#include "tui/asked.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

void asked_init(struct asked *asked)
{
    *asked = (struct asked){.list = json_array()};
}

void asked_finish(struct asked *asked)
{
    json_decref(asked->list);
}

static const char *id_of(const json_t *request)
{
    return json_member_string(request, "id", "");
}

bool asked_take(struct asked *asked, const json_t *object)
{
    json_t *list = json_array(), *request;
    size_t index;
    bool changed;

    json_array_foreach(json_object_get(object, "pending_approvals"), index, request)
    {
        size_t length = strlen(id_of(request));
        if (length > 0 && length < ASKED_ID_SIZE)
            (void)json_array_append(list, request);
    }
    changed = json_equal(list, asked->list) == 0;
    json_decref(asked->list);
    asked->list = list;
    return changed;
}

bool asked_settle(struct asked *asked, const json_t *event)
{
    const char *id = json_member_string(event, "request", ""),
               *decision = json_member_string(event, "decision", "answered");
    size_t place = asked_place(asked, id);

    if (place == 0)
        return false;
    (void)snprintf(asked->settled, sizeof asked->settled, "%s", id);
    if (strcmp(decision, "gone") == 0)
        (void)snprintf(asked->outcome, sizeof asked->outcome, "no longer asked");
    else
        (void)snprintf(asked->outcome, sizeof asked->outcome, "%.16s %s", decision,
                       strcmp(json_member_string(event, "by", "person"), "person") == 0
                           ? "in the pane"
                           : "by another client");
    (void)json_array_remove(asked->list, place - 1);
    return true;
}

size_t asked_count(const struct asked *asked)
{
    return json_array_size(asked->list);
}

size_t asked_place(const struct asked *asked, const char *id)
{
    size_t index;
    json_t *request;

    json_array_foreach(asked->list, index, request)
    {
        if (strcmp(id_of(request), id) == 0)
            return index + 1;
    }
    return 0;
}

const json_t *asked_find(const struct asked *asked, const char *id)
{
    size_t place = asked_place(asked, id);

    return place == 0 ? NULL : json_array_get(asked->list, place - 1);
}

const json_t *asked_after(const struct asked *asked, const char *id)
{
    size_t place = id == NULL ? 0 : asked_place(asked, id);

    return json_array_get(asked->list, place < asked_count(asked) ? place : 0);
}

const char *asked_outcome(const struct asked *asked, const char *id)
{
    return strcmp(asked->settled, id) == 0 ? asked->outcome : "no longer asked";
}
