/*
 * A file's bytes compiled in: EMBED(rules_claude, "src/agent/rules/claude.json") defines the NUL-terminated
 * string rules_claude. The path is relative to the folder of the Makefile, which names the file as a
 * prerequisite.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#define EMBED(symbol, path)                                                                                  \
    __asm__(".pushsection .rodata\n"                                                                         \
            ".type " #symbol ", @object\n" #symbol ":\n"                                                     \
            ".incbin \"" path "\"\n"                                                                         \
            ".byte 0\n"                                                                                      \
            ".popsection\n");                                                                                \
    extern const char symbol[] __attribute__((visibility("hidden")))

#endif
