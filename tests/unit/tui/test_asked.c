#include "tui/asked.h"

#include <string.h>

#include "base/json.h"
#include "test.h"

static bool take(struct asked *asked, const char *list)
{
    json_t *object = json_object();
    bool changed;

    (void)json_object_set_new(object, "pending_approvals", json_loads(list, 0, NULL));
    changed = asked_take(asked, object);
    json_decref(object);
    return changed;
}

static bool settle(struct asked *asked, const char *text)
{
    json_t *event = json_loads(text, 0, NULL);
    bool known = asked_settle(asked, event);

    json_decref(event);
    return known;
}

static const char *id_of(const json_t *request)
{
    return json_member_string(request, "id", "none");
}

TEST(the_list_is_what_the_object_says)
{
    struct asked asked;

    asked_init(&asked);
    CHECK_NUMBER(asked_count(&asked), 0);
    CHECK(asked_after(&asked, NULL) == NULL);
    CHECK(!take(&asked, "[]"));
    CHECK(take(&asked, "[{\"id\": \"1\"}, {\"id\": \"2\"}]"));
    CHECK(!take(&asked, "[{\"id\": \"1\"}, {\"id\": \"2\"}]"));
    CHECK(take(&asked, "[{\"id\": \"1\", \"tool\": \"Bash\"}, {\"id\": \"2\"}]"));
    CHECK_NUMBER(asked_count(&asked), 2);
    CHECK_STRING(id_of(asked_find(&asked, "2")), "2");
    CHECK(asked_find(&asked, "3") == NULL);
    CHECK(take(&asked, "[]"));
    asked_finish(&asked);
}

TEST(one_goes_round)
{
    struct asked asked;

    asked_init(&asked);
    (void)take(&asked, "[{\"id\": \"1\"}, {\"id\": \"2\"}]");
    CHECK_STRING(id_of(asked_after(&asked, NULL)), "1");
    CHECK_STRING(id_of(asked_after(&asked, "1")), "2");
    CHECK_STRING(id_of(asked_after(&asked, "2")), "1");
    CHECK_STRING(id_of(asked_after(&asked, "gone")), "1");
    asked_finish(&asked);
}

TEST(what_became_of_a_request)
{
    struct asked asked;

    asked_init(&asked);
    (void)take(&asked, "[{\"id\": \"1\"}, {\"id\": \"2\"}]");
    CHECK(!settle(&asked, "{\"request\": \"9\", \"decision\": \"approved\", \"by\": \"person\"}"));
    CHECK(settle(&asked, "{\"request\": \"1\", \"decision\": \"approved\", \"by\": \"person\"}"));
    CHECK_NUMBER(asked_count(&asked), 1);
    CHECK_STRING(asked_outcome(&asked, "1"), "approved in the pane");
    CHECK_STRING(asked_outcome(&asked, "7"), "no longer asked");
    CHECK(settle(&asked, "{\"request\": \"2\", \"decision\": \"denied\", \"by\": \"client\"}"));
    CHECK_STRING(asked_outcome(&asked, "2"), "denied by another client");
    (void)take(&asked, "[{\"id\": \"3\"}]");
    CHECK(settle(&asked, "{\"request\": \"3\", \"decision\": \"gone\", \"by\": \"person\"}"));
    CHECK_STRING(asked_outcome(&asked, "3"), "no longer asked");
    asked_finish(&asked);
}

TEST(what_is_no_request_is_left_out)
{
    struct asked asked;

    asked_init(&asked);
    CHECK(!take(&asked, "\"words\""));
    CHECK(!take(&asked, "[1, null, {}, {\"id\": 3}, {\"id\": \"\"}, [\"id\"]]"));
    CHECK(!take(&asked,
                "[{\"id\": \"0123456789012345678901234567890123456789012345678901234567890123456789\"}]"));
    CHECK(!settle(&asked, "{}"));
    CHECK(!settle(&asked, "[]"));
    asked_finish(&asked);
}

TEST_MAIN
