#include "agent/driver.h"
#include "observed.h"
#include "test.h"

#define CAPTURES "tests/captures/side/codex/rollout-"

static char *observed(const char *lines)
{
    void *state = codex_rollout.create();
    struct buffer out;

    buffer_init(&out);
    buffer_append_string(&out, "");
    observed_feed(&codex_rollout, state, lines, &out);
    codex_rollout.destroy(state);
    return buffer_steal(&out);
}

TEST(a_turn_with_a_command)
{
    char *text = observed_file(&codex_rollout, CAPTURES "approve.jsonl");

    CHECK_STRING(text, "session 01a1fbeb-e82e-7a01-a5d4-727b8f6ed62f 0.169.0\n"
                       "turn_started\n"
                       "phase connecting\n"
                       "session 01a1fbeb-e82e-7a01-a5d4-727b8f6ed62f gpt-5.5-codex 0.169.0\n"
                       "phase thinking\n"
                       "thinking **Considering the problem**\n\n"
                       "The user wants me to run a command. I will run touch. whole\n"
                       "phase streaming\n"
                       "text I will run a command to create the file. whole\n"
                       "tool_call call_item_21c2d219923546b4 exec_command "
                       "touch /home/dev/code/made-by-agent && echo tool-output-line && sleep 1 "
                       "{\"cmd\":\"touch /home/dev/code/made-by-agent && echo tool-output-line && sleep 1\","
                       "\"yield_time_ms\":10000,\"justification\":\"Need to create a file outside the "
                       "sandbox\",\"sandbox_permissions\":\"require_escalated\","
                       "\"with_escalated_permissions\":true}\n"
                       "phase tool\n"
                       "tool_result call_item_21c2d219923546b4 tool-output-line\n\n"
                       "phase thinking\n"
                       "usage in=4200 out=120 read=15000 write=0 cost=-1.0000 context=7.48\n"
                       "limit five_hour until=1795235106000 percent=42\n"
                       "limit seven_day until=1795573506000 percent=31\n"
                       "phase streaming\n"
                       "text The command finished. All done: the file was created. whole\n"
                       "usage in=8400 out=240 read=30000 write=0 cost=-1.0000 context=7.48\n"
                       "turn_ended completed\n"
                       "phase idle\n");
    free(text);
}

TEST(an_interrupted_turn)
{
    char *text = observed_file(&codex_rollout, CAPTURES "interrupted.jsonl");

    CHECK(strstr(text, "turn_ended cancelled interrupted\nphase idle\n") != NULL);
    free(text);
}

TEST(a_limit_that_refuses_work)
{
    (void)setenv("TZ", "UTC", 1);
    char *text = observed_file(&codex_rollout, CAPTURES "usage-limit.jsonl");

    CHECK(strstr(text, "limit You’ve hit your usage limit.") != NULL);
    CHECK(strstr(text, " percent=-1 failed\nerror rate_limit usage_limit_exceeded You’ve hit") != NULL);
    CHECK(strstr(text, "4:25 AM. until=179523") != NULL);
    CHECK(strstr(text, "turn_ended failed You’ve hit") != NULL);
    CHECK(strstr(text, "phase idle") == NULL);
    free(text);
}

#define EVENT(payload) "{\"type\":\"event_msg\",\"payload\":{" payload "}}\n"
#define ITEM(payload) "{\"type\":\"response_item\",\"payload\":{" payload "}}\n"

TEST(limits_are_told_when_they_move)
{
    char *text = observed(
        EVENT(
            "\"type\":\"token_count\",\"rate_limits\":{\"limit_id\":\"codex\",\"primary\":{\"used_percent\":"
            "99.6,\"window_minutes\":10080,\"resets_at\":1000}}")
            EVENT("\"type\":\"token_count\",\"rate_limits\":{\"limit_id\":\"codex\",\"primary\":{\"used_"
                  "percent\":99.9,\"window_minutes\":10080,\"resets_at\":1001}}")
                EVENT("\"type\":\"token_count\",\"rate_limits\":{\"limit_id\":\"codex_other\",\"secondary\":{"
                      "\"used_percent\":1,\"window_minutes\":60,\"resets_at\":1001}}")
                    EVENT("\"type\":\"error\",\"message\":\"no\",\"codex_error_info\":\"usage_limit_"
                          "exceeded\""));

    CHECK_STRING(text, "limit seven_day until=1000000 percent=99.6\n"
                       "limit codex_other:1_hour until=1001000 percent=1\n"
                       "limit no percent=-1 failed\n"
                       "error rate_limit usage_limit_exceeded no\n");
    free(text);
}

TEST(calls_of_every_kind)
{
    char *text = observed(
        EVENT("\"type\":\"task_started\"") ITEM("\"type\":\"function_call\",\"call_id\":\"1\",\"name\":"
                                                "\"update_plan\",\"arguments\":\"{\\\"plan\\\":["
                                                "{\\\"step\\\":\\\"a\\\",\\\"status\\\":\\\"in_progress\\\"}]"
                                                "}\"") ITEM("\"type\":\"custom_tool_call\",\"call_id\":\"2\","
                                                            "\"name\":\"apply_patch\",\"input\":\"*** x\"")
            ITEM("\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":\"Plan updated\"") EVENT(
                "\"type\":\"patch_apply_end\",\"success\":true,\"changes\":{\"/a\":{\"add\":{\"content\":"
                "\"x\"}},\"/b\":{\"type\":\"update\",\"unified_diff\":\"@@\"}}")
                ITEM("\"type\":\"custom_tool_call_output\",\"call_id\":\"2\",\"output\":\"{\\\"output\\\":"
                     "\\\"bad\\\",\\\"metadata\\\":{\\\"exit_code\\\":1}}\"")
                    ITEM("\"type\":\"local_shell_call\",\"call_id\":\"3\",\"action\":{\"command\":[\"ls\"]}")
                        ITEM("\"type\":\"function_call\",\"call_id\":\"4\",\"name\":\"f\",\"arguments\":"
                             "\"no json\""));

    CHECK_STRING(text, "turn_started\nphase connecting\n"
                       "tool_call 1 update_plan {\"plan\":[{\"step\":\"a\",\"status\":\"in_progress\"}]} "
                       "{\"plan\":[{\"step\":\"a\",\"status\":\"in_progress\"}]}\n"
                       "todo [{\"text\":\"a\",\"state\":\"active\"}]\nphase tool\n"
                       "tool_call 2 apply_patch {\"input\":\"*** x\"} {\"input\":\"*** x\"}\nphase tool\n"
                       "tool_result 1 Plan updated\n"
                       "file apply_patch created /a\nfile apply_patch modified /b {\"diff\":\"@@\"}\n"
                       "tool_result 2 bad failed\nphase thinking\n"
                       "tool_call 3 shell ls {\"command\":[\"ls\"]}\nphase tool\n"
                       "tool_call 4 f {\"arguments\":\"no json\"} {\"arguments\":\"no json\"}\nphase tool\n");
    free(text);
}

TEST(retries_and_errors)
{
    char *text = observed(
        EVENT("\"type\":\"stream_error\",\"message\":\"Reconnecting... 2/5\"")
            EVENT("\"type\":\"error\",\"message\":\"m\",\"codex_error_info\":{\"http_connection_failed\":{}}")
                EVENT("\"type\":\"error\",\"message\":\"m\",\"codex_error_info\":{\"http_connection_failed\":"
                      "{\"http_status_code\":401}}"));

    CHECK_STRING(text, "retry Reconnecting... 2/5 attempt=2/5\nerror network http_connection_failed m\n"
                       "error authentication http_connection_failed m\n");
    free(text);
}

TEST(nonsense_is_ignored)
{
    char *text =
        observed("[]\n{}\n{\"type\":1}\n{\"type\":\"event_msg\"}\n{\"type\":\"event_msg\",\"payload\":[]}\n"
                 "{\"type\":\"session_meta\",\"payload\":{\"id\":7}}\n" EVENT("\"type\":7")
                     EVENT("\"type\":\"token_count\",\"info\":[],\"rate_limits\":{\"primary\":1}")
                         EVENT("\"type\":\"item_completed\",\"item\":null") EVENT("\"type\":\"rolled\"")
                             ITEM("\"type\":\"function_call_output\",\"output\":[1,{\"text\":2}]")
                                 ITEM("\"type\":\"message\",\"content\":\"x\""));

    CHECK(strstr(text, "phase") == NULL);
    free(text);
}

TEST_MAIN
