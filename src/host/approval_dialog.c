#include "host/approval_dialog.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "host/host.h"
#include "rpc/protocol.h"
#include "term/terminal.h"

#define STEP_NS 150000000 /* between keys that the agent must take one by one */
#define WORDS_MIN 8
#define WORDS_MAX 40
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/* ---- knowing a dialog again ---- */

static uint32_t mix(uint32_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (!isspace((unsigned char)*text))
            hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    }
    return hash;
}

uint32_t approval_dialog_hash(const struct rules_question *question)
{
    uint32_t hash = mix(FNV_START, question->input);

    if (question->choice_count > 0)
        hash = mix(hash, question->choices[0]);
    return hash == 0 ? 1 : hash;
}

static char *squeezed(const char *text)
{
    char *out = xmalloc(strlen(text) + 1);
    size_t used = 0;

    for (; *text != '\0'; text++) {
        if (!isspace((unsigned char)*text))
            out[used++] = *text;
    }
    out[used] = '\0';
    return out;
}

/* One line of the request, of which a long one may be cut on the screen. */
static bool line_meets(const char *shown, const char *line, size_t length)
{
    char *text = xstrndup(line, length), *asked = squeezed(text);
    bool found;

    if (strlen(asked) > WORDS_MAX)
        asked[WORDS_MAX] = '\0';
    found = strlen(asked) >= WORDS_MIN && strstr(shown, asked) != NULL;
    free(asked);
    free(text);
    return found;
}

bool approval_words_meet(const char *text, const char *words)
{
    char *shown;
    bool found = false;

    if (text == NULL || words == NULL)
        return false;
    shown = squeezed(text);
    while (*words != '\0' && !found) {
        size_t length = strcspn(words, "\n"), tool = strcspn(words, ":\n");
        found = line_meets(shown, words, length);
        /* "Bash: ls -l" */
        if (!found && tool < length)
            found = line_meets(shown, words + tool + 1, length - tool - 1);
        words += length + (words[length] == '\n' ? 1 : 0);
    }
    free(shown);
    return found;
}

/* ---- keys ---- */

void approval_keys_stop(struct host *host)
{
    struct approvals *approvals = &host->approvals;

    for (size_t i = 0; i < approvals->step_count; i++) {
        free(approvals->steps[i]);
        approvals->steps[i] = NULL;
    }
    approvals->step = approvals->step_count = 0;
}

static void add_step(struct host *host, struct buffer *bytes)
{
    struct approvals *approvals = &host->approvals;

    if (approvals->step_count < APPROVAL_STEPS_MAX && bytes->length > 0)
        approvals->steps[approvals->step_count++] = buffer_steal(bytes);
    else
        buffer_finish(bytes);
    buffer_init(bytes);
}

static void add_keys(struct host *host, const char *names)
{
    struct terminal_modes modes = terminal_modes(host->attempt.terminal);
    struct buffer bytes;

    buffer_init(&bytes);
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        char name[KEY_NAME_SIZE];
        struct key key;
        (void)strlcpy(name, names, length + 1 < sizeof name ? length + 1 : sizeof name);
        if (key_parse(name, &key) == 0)
            key_encode(key, &modes.input, &bytes);
        names += length + strspn(names + length, " ");
    }
    add_step(host, &bytes);
}

static void add_text(struct host *host, const char *text)
{
    struct terminal_modes modes = terminal_modes(host->attempt.terminal);
    struct buffer bytes;

    buffer_init(&bytes);
    paste_encode(text, strlen(text), &modes.input, &bytes);
    add_step(host, &bytes);
}

/* One step; the next follows after a while. */
static void send_step(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    struct approvals *approvals = &host->approvals;
    const struct timeval wait = {.tv_usec = STEP_NS / 1000};

    (void)descriptor;
    (void)what;
    if (approvals->step >= approvals->step_count)
        return;
    if (typing_whole(host, approvals->steps[approvals->step], strlen(approvals->steps[approvals->step])) != 0)
        approvals->step++;
    if (approvals->step < approvals->step_count)
        (void)event_base_once(host->loop, -1, EV_TIMEOUT, send_step, host, &wait);
}

/* ---- choosing ---- */

/* A choice that opens a line for words of one's own. */
static int words_choice(const struct rules_question *question)
{
    static const char *const beginnings[] = {"Type something", "Type your own", "Enter a custom", "Other"};

    for (int i = 0; i < question->choice_count; i++) {
        for (size_t k = 0; k < sizeof beginnings / sizeof beginnings[0]; k++) {
            if (strncmp(question->choices[i], beginnings[k], strlen(beginnings[k])) == 0)
                return i + 1;
        }
    }
    return 0;
}

static int choose(struct host *host, const struct rules_question *question,
                  const struct approval_answer *answer, const char **why)
{
    int choice = answer->choice > 0 ? answer->choice : answer->approve ? question->approve : question->deny;

    if (answer->choice == 0 && answer->approve && answer->text != NULL)
        choice = words_choice(question);
    if (choice > question->choice_count ||
        (choice == 0 && (answer->approve || question->deny_keys == NULL))) {
        *why = answer->text != NULL ? "it takes no words: choose with --choice"
                                    : "it has no such answer: choose with --choice";
        return RPC_INVALID_PARAMS;
    }
    add_keys(host, choice > 0 ? question->keys[choice - 1] : question->deny_keys);
    if (answer->text != NULL && choice > 0 && choice == words_choice(question)) {
        add_text(host, answer->text);
        add_keys(host, "Enter");
    }
    return 0;
}

int approval_dialog_read(struct host *host, struct rules_question *question)
{
    struct rules_match match;
    struct buffer text;
    int result = -1;

    if (!attempt_running(&host->attempt) || host->attempt.terminal == NULL)
        return -1;
    buffer_init(&text);
    terminal_text(host->attempt.terminal, &text);
    match = rules_screen(host->rules, text.bytes, (struct rules_seen){.working = true});
    if (match.phase == PHASE_APPROVAL)
        result = rules_question(host->rules, &match, text.bytes, question);
    buffer_finish(&text);
    return result;
}

int approval_keys_send(struct host *host, uint32_t dialog, const struct approval_answer *answer,
                       const char **why)
{
    struct rules_question question;
    int code = RPC_STALE;

    *why = "its dialog is not on the screen: look into the pane";
    if (approval_dialog_read(host, &question) < 0)
        return code;
    if (dialog != 0 && approval_dialog_hash(&question) == dialog) {
        approval_keys_stop(host);
        code = choose(host, &question, answer, why);
    }
    rules_question_finish(&question);
    if (code != 0) {
        approval_keys_stop(host);
        return code;
    }
    send_step(-1, 0, host);
    if (host->approvals.step == 0) {
        approval_keys_stop(host);
        *why = "the agent does not read its input";
        return RPC_INPUT_FULL;
    }
    return 0;
}
