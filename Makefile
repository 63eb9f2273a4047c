# ganger
#   make          builds build/ganger            make run       installs what is missing, builds, opens the dashboard
#   make check    the same for all tests         make lint      style, layers, man pages
#   make install  PREFIX=/usr/local DESTDIR=     make uninstall, make clean, make deps
#   make fuzz     FUZZ_SECONDS=60                make unit      builds the tests in C
# V=1 shows the commands; SAN=1 builds with the address and undefined-behaviour sanitizers, in build-san; WERROR=1 makes
# warnings errors; CC=clang BUILD=build-clang builds with another compiler elsewhere.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
BUILD := $(if $(SAN),build-san,build)
Q := $(if $(V),,@)
, := ,

# ---- flags ----
PKGS := vterm jansson libbsd-overlay libmd libevent_core libzstd zlib sqlite3 ncursesw
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wimplicit-fallthrough -fno-common
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANITIZE := $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined)
OPT := $(if $(SAN),-O1 -g -fno-omit-frame-pointer,-O2 -g)
CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -DGANGER_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
CFLAGS ?=
ALL_CFLAGS := -std=c11 $(OPT) $(HARDEN) $(SANITIZE) $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

# ---- layers: each is an archive, build/libLAYER.a, of the sources in its folder; who may use whom is in layers.mk ----
include tests/lint/layers.mk
LAYERS := base term rpc agent config policy store runner replay keeper host cli tui
folder = $(if $(filter tui,$(1)),tui,src/$(1))
sources = $(sort $(wildcard $(folder)/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
# The archives of a layer and of what it uses, directly or not.
used = $(1) $(foreach l,$(patsubst %/,%,$(dir $(filter %.h,$(USES_$(1))))) $(filter-out %.h,$(USES_$(1))),$(call used,$(l)))
archives = $(patsubst %,$(BUILD)/lib%.a,$(filter-out main,$(sort $(foreach l,$(1),$(call used,$(l))))))
compile = $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP
# Archives may refer to each other, hence the group.
link = $(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(1)
say = $(if $(V),,@echo "  $(1) $@")

LIBS_base := -ljansson -lbsd -lmd -lm
LIBS_term := -lvterm -lzstd $(LIBS_base)
LIBS_replay := -lz -lsqlite3 -lpthread $(LIBS_term)
LIBS_host := -levent_core $(LIBS_replay)
LIBS_all := -lncursesw -ltinfo $(LIBS_host)

PROGRAMS := $(BUILD)/ganger $(BUILD)/ganger-host $(BUILD)/ganger-keeper $(BUILD)/ganger-replay $(BUILD)/ganger-fake
THEMES := $(patsubst themes/%,$(BUILD)/themes/%,$(wildcard themes/*.json))
TERMINFO := $(if $(wildcard tui/terminfo.src),$(BUILD)/terminfo/.made)

ALL_SOURCES := $(foreach l,$(LAYERS),$(call sources,$(l))) $(wildcard src/*.c)
ALL_HEADERS := $(foreach l,$(LAYERS),$(wildcard $(call folder,$(l))/*.h))

.PHONY: all run check unit bench fuzz lint deps install uninstall clean
all: $(BUILD)/.includes-checked $(PROGRAMS) $(THEMES) $(TERMINFO)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<")
	$(Q)$(compile) -c -o $@ $<

# Files compiled in by EMBED (base/embed.h).
$(call objects,$(shell grep -l '^EMBED.' $(ALL_SOURCES) /dev/null)): $(wildcard src/*/*.json src/*/*/*.json src/*/*.js src/*/*/*.js src/*/*/*.css src/*/*/*.html src/*/*/LICENSE.* src/*/*.sql)

# The agents' rules, all in one list.
RULES := $(sort $(filter-out %/schema.json,$(wildcard src/agent/rules/*.json)))
$(BUILD)/agent-rules.json: $(RULES)
	@mkdir -p $(@D)
	$(Q){ printf '['; separator=; for file in $^; do printf '%s' "$$separator"; cat "$$file"; separator=,; done; printf ']'; } > $@
$(BUILD)/obj/src/base/agent_data.o: $(BUILD)/agent-rules.json
$(BUILD)/obj/src/base/agent_data.o: CPPFLAGS += -DAGENT_RULES_FILE='"$(BUILD)/agent-rules.json"'

define layer
$(BUILD)/lib$(1).a: $(call objects,$(call sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

$(BUILD)/ganger: $(BUILD)/obj/src/main.o $(call archives,main)
	$(call say,LD)
	$(call link,$(LIBS_all))

$(BUILD)/ganger-host: $(call archives,host)
	$(call say,LD)
	$(call link,$(LIBS_host))

$(BUILD)/ganger-replay: $(call archives,replay)
	$(call say,LD)
	$(call link,$(LIBS_replay))

# The keeper links libc alone, and is never built with sanitizers: it must stay tiny and start at once.
$(BUILD)/ganger-keeper: $(wildcard src/keeper/*.c src/keeper/*.h src/base/keeper_protocol.h src/base/ring.h)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -D_GNU_SOURCE -Isrc -I. -std=c11 -O2 -g $(WARNINGS) -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE \
	  -D_FORTIFY_SOURCE=2 $(if $(WERROR),-Werror) $(CFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $(filter %.c,$^)

# The stand-in agents.
$(BUILD)/ganger-fake: $(call objects,$(wildcard tests/fake/agent_*.c))
	$(call say,LD)
	$(call link)

$(BUILD)/themes/%.json: themes/%.json
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/terminfo/.made: tui/terminfo.src
	@mkdir -p $(@D)
	$(Q)tic -x -o $(@D) $< && touch $@

$(BUILD)/.includes-checked: tests/lint/check_includes.awk tests/lint/layers.mk $(ALL_SOURCES) $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(Q)awk -f tests/lint/check_includes.awk tests/lint/layers.mk $(ALL_SOURCES) $(ALL_HEADERS)
	@touch $@

# ---- tests in C: build/tests/unit/LAYER/test_x is tests/unit/LAYER/test_x.c with the archives of LAYER and what it uses ----
unit_tests = $(wildcard tests/unit/$(1)/test_*.c)
TERM_TESTS := $(wildcard tests/term/test_*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
SPEED_TESTS := $(wildcard tests/bench/*.c)
program = $(patsubst %.c,$(BUILD)/%,$(1))
ALL_TESTS := $(foreach l,$(LAYERS),$(call unit_tests,$(l))) $(TERM_TESTS) $(FUZZERS)
$(call objects,$(ALL_TESTS)): CPPFLAGS += -Itests/unit

# $(1): sources, $(2): layers
define test_programs
$(call program,$(1)): $(BUILD)/%: $(BUILD)/obj/%.o $(call archives,$(2))
	@mkdir -p $$(@D)
	$$(call say,LD)
	$$(call link,$(LIBS_all))
endef
# The keeper's tests start the program, and use its other end.
TESTS_USE_keeper := runner host
$(foreach l,$(LAYERS),$(if $(call unit_tests,$(l)),\
  $(eval $(call test_programs,$(call unit_tests,$(l)),$(or $(TESTS_USE_$(l)),$(l))))))
$(if $(TERM_TESTS),$(eval $(call test_programs,$(TERM_TESTS),term)))
$(if $(FUZZERS)$(SPEED_TESTS),$(eval $(call test_programs,$(FUZZERS) $(SPEED_TESTS),host)))

$(BUILD)/mini-host: $(BUILD)/obj/tests/fake/mini_host.o $(call archives,host)
	$(call say,LD)
	$(call link,$(LIBS_host))

# A week of sessions at their limits, with the real ledger and policy (docs/limits.md).
$(BUILD)/simulate-limits: $(call objects,$(wildcard tests/simulation/*.c)) $(call archives,policy store)
	$(call say,LD)
	$(call link,$(LIBS_all))

unit: $(call program,$(ALL_TESTS)) $(BUILD)/ganger-keeper $(BUILD)/mini-host $(BUILD)/simulate-limits
bench: $(call program,$(SPEED_TESTS))

# ---- what people call; what is missing is installed before make looks at it, hence the second make ----
again = @$(MAKE) --no-print-directory -j$(shell nproc)
PYTHON := /usr/bin/python3

run:
	@.ci/deps build
	$(again) all
	@$(BUILD)/ganger

# The tests in C and the fuzzers run under the sanitizers, the end-to-end tests with what is installed.
check:
	@.ci/deps check
	$(again) all $(if $(CI),WERROR=1)
	$(again) SAN=1 unit $(if $(CI),WERROR=1)
	@$(if $(ALL),GANGER_TEST_ALL=1) $(PYTHON) tests/run.py $(TESTS)

fuzz:
	@.ci/deps check
	$(again) SAN=1 unit
	@GANGER_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) $(PYTHON) tests/run.py tests/fuzz

lint:
	@.ci/deps lint
	@$(PYTHON) tests/run.py tests/lint

deps:
	@.ci/deps check

# ---- installation ----
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/ganger $(DESTDIR)$(PREFIX)/share/ganger/themes
	install -m 755 $(BUILD)/ganger $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/ganger-host $(BUILD)/ganger-keeper $(BUILD)/ganger-replay $(BUILD)/ganger-fake $(DESTDIR)$(PREFIX)/libexec/ganger/
	install -m 644 themes/*.json $(DESTDIR)$(PREFIX)/share/ganger/themes/
	install -m 644 src/config/schema.json $(DESTDIR)$(PREFIX)/share/ganger/config.schema.json
	install -m 644 src/config/crew_schema.json $(DESTDIR)$(PREFIX)/share/ganger/crew.schema.json
	rm -rf $(DESTDIR)$(PREFIX)/share/ganger/terminfo
	cp -R $(BUILD)/terminfo $(DESTDIR)$(PREFIX)/share/ganger/
	for page in docs/*.[157]; do section=$${page##*.}; \
	  install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$$section/$${page#docs/}" || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/ganger
	rm -rf $(DESTDIR)$(PREFIX)/libexec/ganger $(DESTDIR)$(PREFIX)/share/ganger
	for page in docs/*.[157]; do rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page#docs/}"; done

clean:
	rm -rf build build-san build-clang

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
