#include <string.h>

#include "agent/usage_record.h"

static const struct usage_source *const sources[] = {&usage_claude, &usage_codex, &usage_gemini,
                                                     &usage_opencode, &usage_qwen};
#define COUNT (sizeof sources / sizeof sources[0])

const struct usage_source *usage_source_at(size_t index)
{
    return index < COUNT ? sources[index] : NULL;
}

const struct usage_source *usage_source_find(const char *agent)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(sources[i]->agent, agent) == 0)
            return sources[i];
    }
    return NULL;
}

bool usage_record_counts(const struct usage_record *record)
{
    return record->input_tokens > 0 || record->output_tokens > 0 || record->cache_read_tokens > 0 ||
           record->cache_write_tokens > 0 || record->cost_usd > 0;
}

int64_t usage_without(int64_t total, int64_t part)
{
    if (total < 0 || part <= 0)
        return total;
    return part < total ? total - part : 0;
}
