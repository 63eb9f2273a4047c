#include "tests/fake/agent_status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/fake/agent_terminal.h"

static bool answered;
static char report[1024];

static void base64(const char *text, char *out, size_t room)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text), used = 0;

    for (size_t i = 0; i < length && used + 5 < room; i += 3) {
        unsigned long group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < length ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            out[used++] = i + k > length ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
    out[used] = '\0';
}

static void send_report(void)
{
    if (answered && report[0] != '\0')
        out_format("\033]7501;%s\033\\", report);
}

void status_query(void)
{
    out_text("\033]7501;?\033\\\033[c");
}

void status_answered(void)
{
    answered = true;
    send_report();
    out_flush();
}

void status_report(const char *state, const char *kind, const char *message)
{
    char encoded[700] = "";

    if (message != NULL)
        base64(message, encoded, sizeof encoded);
    (void)snprintf(report, sizeof report, "state=%s:app=ganger-fake%s%s%s%s", state,
                   kind != NULL ? ":kind=" : "", kind != NULL ? kind : "", message != NULL ? ":msg=" : "",
                   encoded);
    send_report();
}
