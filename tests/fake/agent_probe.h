/* Programs for tests: they show one fact about the terminal they run in, or misbehave in one way. */
#ifndef FAKE_AGENT_PROBE_H
#define FAKE_AGENT_PROBE_H

struct probe {
    const char *name, *arguments, *does;
    int (*run)(int argc, char **argv); /* argv[0] is the name */
};

/* Ended by one without a name. */
extern const struct probe probes[];

#endif
