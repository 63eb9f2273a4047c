#include "cli/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "rpc/request.h"
#include "store/session_dir.h"

#define LABEL_COLS 12

char *pending_brief(const json_t *request)
{
    char *line = request_brief(request), *brief = cli_clean(line, strlen(line));

    free(line);
    return brief;
}

static void print_line(const char *before, const char *text, size_t length)
{
    char *line = cli_clean(text, length);

    (void)printf("%*s %s%s\n", LABEL_COLS, "", before, line);
    free(line);
}

static void print_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        print_line("  ", text, length);
        text += length + (text[length] == '\n');
    }
}

static void print_choices(const json_t *choices)
{
    size_t index;
    json_t *choice;

    json_array_foreach(choices, index, choice)
    {
        char number[32];
        const char *text = json_string_value(choice);
        (void)snprintf(number, sizeof number, "%zu. ", index + 1);
        print_line(number, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
    }
}

static void print_one(const char *label, const json_t *request)
{
    const char *tool = json_member_string(request, "tool", NULL);
    char *head = xasprintf("%s%s%s (%s)", json_member_string(request, "kind", "permission"),
                           tool == NULL ? "" : " for ", tool == NULL ? "" : tool,
                           json_member_string(request, "id", "?"));
    char *line = cli_clean(head, strlen(head));
    int64_t since;

    (void)printf("%-*s %s", LABEL_COLS, label, line);
    if (clock_parse_rfc3339(json_member_string(request, "since", ""), &since) == 0) {
        char elapsed[16];
        clock_format_duration((clock_realtime_ms() - since) / 1000, elapsed, sizeof elapsed);
        (void)printf(", asked %s ago", elapsed);
    }
    (void)putchar('\n');
    print_lines(json_member_string(request, "input", ""));
    print_choices(json_object_get(request, "choices"));
    free(line);
    free(head);
}

void pending_print(const json_t *session)
{
    const json_t *pending = json_object_get(session, "pending_approvals");
    size_t index;
    json_t *request;

    if (session_phase_ended(json_member_string(session, "phase", "")))
        return;
    json_array_foreach(pending, index, request)
    {
        print_one(index == 0 ? "asks" : "", request);
    }
    if (json_array_size(pending) > 0) {
        const char *name = json_member_string(session, "name", "?"),
                   *id = json_array_size(pending) > 1 ? " --id ID" : "";
        (void)printf("%-*s ganger approve %s%s, or ganger deny %s%s\n", LABEL_COLS, "answer", name, id, name,
                     id);
    }
}
