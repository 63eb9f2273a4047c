/*
 * ganger-fake: scripted stand-in agents for `ganger demo` and the tests. They draw and behave as agent CLIs do: a prompt
 * box, a spinner, titles, OSC 7501 reports; Enter sends a prompt, Esc interrupts a turn, Ctrl-C twice or /exit ends.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/agent_keys.h"
#include "tests/fake/agent_probe.h"
#include "tests/fake/agent_status.h"
#include "tests/fake/agent_terminal.h"
#include "tests/fake/agent_turn.h"
#include "tests/fake/agent_view.h"

#define TICK_MS 100
#define ESCAPE_MS 40

static struct {
    const struct scenario *scenario;
    const struct step *steps, *step; /* of the turn; NULL: idle */
    const char *rest_of_stream;
    long long step_started, next_word;
    double speed;
    char prompt[128 * 1024];
    size_t prompt_length;
    long long interrupted_at; /* Ctrl-C in an empty box */
    bool leaving;
    int exit_code;
} agent = {.speed = 1};

static long scaled(long ms)
{
    return (long)((double)ms / agent.speed);
}

static long elapsed(void)
{
    return (long)(clock_ms() - agent.step_started);
}

static void go_idle(const char *state)
{
    agent.step = NULL;
    view_break();
    view_title("✳", "ganger-fake");
    status_report(state, NULL, NULL);
}

static void enter_step(const struct step *step)
{
    agent.step = step;
    agent.step_started = agent.next_word = clock_ms();
    switch (step->kind) {
    case STEP_END:
        go_idle("done");
        if (agent.scenario->repeats && agent.steps == agent.scenario->opening)
            enter_step(agent.steps);
        return;
    case STEP_ASK:
        status_report("blocked", "permission", step->text);
        view_title("✋", "ganger-fake");
        return;
    case STEP_LIMIT:
        status_report("error", NULL, "You've hit your usage limit");
        view_title("✳", "ganger-fake");
        return;
    case STEP_REST:
        view_break();
        status_report("done", NULL, NULL);
        view_title("✳", "ganger-fake");
        return;
    case STEP_TOOL:
        view_break();
        view_write("● ");
        view_write(step->text);
        view_write("\n");
        break;
    case STEP_STREAM:
        view_break();
        agent.rest_of_stream = step->text;
        break;
    default:
        break;
    }
    status_report("working", NULL, NULL);
}

static void start_turn(const struct step *steps)
{
    agent.steps = steps;
    enter_step(steps);
}

static void fail(const char *text)
{
    view_break();
    view_write(text);
    view_write("\n");
    status_report("error", NULL, text);
    agent.leaving = true;
    agent.exit_code = 1;
}

static void stream_words(void)
{
    while (agent.step->kind == STEP_STREAM && clock_ms() >= agent.next_word) {
        size_t length = strcspn(agent.rest_of_stream, " \n");
        char word[512];
        if (agent.rest_of_stream[0] == '\0') {
            enter_step(agent.step + 1);
            return;
        }
        length += agent.rest_of_stream[length] != '\0';
        if (length >= sizeof word)
            length = sizeof word - 1;
        memcpy(word, agent.rest_of_stream, length);
        word[length] = '\0';
        view_write(word);
        agent.rest_of_stream += length;
        agent.next_word += scaled(agent.step->ms);
    }
}

static void advance(void)
{
    if (agent.step == NULL)
        return;
    if (agent.step->kind == STEP_STREAM)
        stream_words();
    else if (agent.step->kind == STEP_FAIL)
        fail(agent.step->text);
    else if (agent.step->kind != STEP_ASK && elapsed() >= scaled(agent.step->ms))
        enter_step(agent.step + 1);
}

static void draw(void)
{
    static char status[256], question[512];
    struct view_live live = {
        .typed = agent.prompt, .hint = "? for help · Esc interrupts · /exit leaves", .color = 214};
    enum step_kind kind = agent.step != NULL ? agent.step->kind : STEP_REST;

    live.busy = kind == STEP_THINK || kind == STEP_TOOL || kind == STEP_STREAM;
    if (live.busy) {
        (void)snprintf(status, sizeof status, "%s… (%lds · esc to interrupt)",
                       kind == STEP_THINK  ? agent.step->text
                       : kind == STEP_TOOL ? "Running"
                                           : "Writing",
                       elapsed() / 1000);
        live.status = status;
        view_title(view_spinner(), "ganger-fake");
    } else if (kind == STEP_LIMIT) {
        long left = (scaled(agent.step->ms) - elapsed() + 999) / 1000;
        (void)snprintf(status, sizeof status, "You've hit your usage limit · resets in %ld:%02ld", left / 60,
                       left % 60);
        live.status = status;
        live.color = 203;
    } else if (kind == STEP_ASK) {
        (void)snprintf(question, sizeof question,
                       "\nBash command\n\n  %s\n\nDo you want to proceed?\n❯ 1. Yes (y)\n  2. No (n)",
                       agent.step->text);
        live.question = question;
        live.hint = "Enter confirms · Esc cancels";
    }
    view_draw(&live);
}

static void answer_question(bool yes)
{
    view_break();
    view_write(yes ? "● allowed\n" : "● denied\n");
    if (yes)
        enter_step(agent.step + 1);
    else
        go_idle("idle");
}

static void clear_prompt(void)
{
    agent.prompt_length = 0;
    agent.prompt[0] = '\0';
}

static void submit(void)
{
    static char sent[sizeof agent.prompt];

    if (agent.prompt_length == 0)
        return;
    memcpy(sent, agent.prompt, agent.prompt_length + 1);
    clear_prompt();
    if (strcmp(sent, "/exit") == 0) {
        agent.leaving = true;
        return;
    }
    view_break();
    view_write("> ");
    view_write(sent);
    view_write("\n");
    start_turn(scenario_answer(sent));
}

static void add_text(const char *text, size_t length)
{
    if (length > sizeof agent.prompt - 1 - agent.prompt_length)
        length = sizeof agent.prompt - 1 - agent.prompt_length;
    memcpy(agent.prompt + agent.prompt_length, text, length);
    agent.prompt_length += length;
    agent.prompt[agent.prompt_length] = '\0';
}

static void interrupt_turn(void)
{
    if (agent.step == NULL || agent.step->kind == STEP_REST)
        return;
    view_break();
    view_write("⎿ Interrupted by user\n");
    go_idle("idle");
}

static void control_c(void)
{
    if (agent.step != NULL && agent.step->kind != STEP_REST) {
        interrupt_turn();
    } else if (agent.prompt_length > 0) {
        clear_prompt();
    } else if (agent.interrupted_at != 0 && clock_ms() - agent.interrupted_at < 2000) {
        agent.leaving = true;
    } else {
        agent.interrupted_at = clock_ms();
        view_write("Press Ctrl-C again to leave\n");
    }
}

static void erase_character(void)
{
    while (agent.prompt_length > 0 && ((unsigned char)agent.prompt[--agent.prompt_length] & 0xC0) == 0x80)
        continue;
    agent.prompt[agent.prompt_length] = '\0';
}

static void on_key(enum key key, const char *text, size_t length)
{
    bool asking = agent.step != NULL && agent.step->kind == STEP_ASK;

    switch (key) {
    case KEY_STATUS_ANSWERED:
        status_answered();
        break;
    case KEY_TEXT:
        if (!asking)
            add_text(text, length);
        else if (memchr("yY1nN2", text[0], 6) != NULL)
            answer_question(memchr("yY1", text[0], 3) != NULL);
        break;
    case KEY_ENTER:
        if (asking)
            answer_question(true);
        else
            submit();
        break;
    case KEY_NEWLINE:
        add_text("\n", 1);
        break;
    case KEY_BACKSPACE:
        erase_character();
        break;
    case KEY_ESCAPE:
        if (asking)
            answer_question(false);
        else
            interrupt_turn();
        break;
    case KEY_INTERRUPT:
        control_c();
        break;
    case KEY_EOF:
        agent.leaving = agent.prompt_length == 0;
        break;
    }
}

static int wait_ms(const struct key_reader *keys)
{
    if (key_reader_waits(keys))
        return ESCAPE_MS;
    if (agent.step == NULL)
        return -1;
    if (agent.step->kind == STEP_STREAM) {
        long long left = agent.next_word - clock_ms();
        return left < 0 ? 0 : left < TICK_MS ? (int)left : TICK_MS;
    }
    return agent.step->kind == STEP_ASK ? -1 : agent.step->kind == STEP_LIMIT ? 1000 : TICK_MS;
}

static int interact(const struct scenario *scenario)
{
    struct key_reader keys = {.key = on_key};
    char bytes[4096];

    agent.scenario = scenario;
    terminal_raw();
    view_start();
    status_query();
    view_write("ganger-fake: a stand-in agent, no model behind it\n");
    view_title("✳", "ganger-fake");
    if (scenario->opening != NULL)
        start_turn(scenario->opening);
    else
        status_report("idle", NULL, NULL);
    while (!agent.leaving && !terminal_ended()) {
        long length;
        draw();
        length = terminal_read(bytes, sizeof bytes, wait_ms(&keys));
        if (length > 0)
            key_reader_feed(&keys, bytes, (size_t)length);
        else if (length < 0)
            break;
        else if (terminal_resized())
            view_redraw();
        else
            key_reader_idle(&keys);
        advance();
    }
    if (agent.exit_code == 0)
        status_report("clear", NULL, NULL);
    view_finish();
    terminal_restore();
    return terminal_ended() ? 128 + terminal_end_signal() : agent.exit_code;
}

static int usage(FILE *out)
{
    (void)fprintf(
        out, "usage: ganger-fake [--speed N] SCENARIO\n       ganger-fake PROBE [ARGUMENTS]\n\nscenarios:\n");
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++)
        (void)fprintf(out, "  %-10s %s\n", scenario->name, scenario->shows);
    (void)fprintf(out, "\nprobes:\n");
    for (const struct probe *probe = probes; probe->name != NULL; probe++)
        (void)fprintf(out, "  %-14s %-14s %s\n", probe->name, probe->arguments, probe->does);
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    const struct scenario *scenario;

    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc > 2 && strcmp(argv[1], "--speed") == 0) {
        agent.speed = strtod(argv[2], NULL);
        if (!(agent.speed > 0.001 && agent.speed < 10000))
            return usage(stderr);
        argc -= 2;
        argv += 2;
    }
    if (argc < 2)
        return usage(stderr);
    for (const struct probe *probe = probes; probe->name != NULL; probe++) {
        if (strcmp(probe->name, argv[1]) == 0) {
            int code = probe->run(argc - 1, argv + 1);
            out_flush();
            return code;
        }
    }
    scenario = scenario_find(argv[1]);
    return scenario != NULL && argc == 2 ? interact(scenario) : usage(stderr);
}
