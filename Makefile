# ganger
#   make          builds build/ganger            make run       installs what is missing, builds, opens the dashboard
#   make check    the same for all tests         make lint      style, layers, man pages
#   make install  PREFIX=/usr/local DESTDIR=     make uninstall, make clean, make deps, make fuzz
# V=1 shows the commands; SAN=1 builds with the address and undefined-behaviour sanitizers, in build-san; WERROR=1 makes
# warnings errors.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
BUILD := $(if $(SAN),build-san,build)
Q := $(if $(V),,@)
, := ,

# ---- what is needed, as probe=package: pkg:MODULE asks pkg-config, cmd:PROGRAM the PATH, py:MODULE Debian's python3 ----
BUILD_NEEDS := cmd:pkg-config=pkg-config pkg:vterm=libvterm-dev pkg:jansson=libjansson-dev pkg:libbsd-overlay=libbsd-dev \
  pkg:libevent_core=libevent-dev pkg:libzstd=libzstd-dev pkg:ncursesw=libncurses-dev cmd:tic=ncurses-bin
CHECK_NEEDS := cmd:/usr/bin/python3=python3 py:pytest=python3-pytest py:xdist=python3-pytest-xdist \
  py:pytest_timeout=python3-pytest-timeout cmd:tmux=tmux cmd:vim=vim cmd:less=less cmd:htop=htop cmd:ps=procps \
  cmd:git=git cmd:npm=npm cmd:setpriv=util-linux
LINT_NEEDS := cmd:clang-format=clang-format cmd:cppcheck=cppcheck cmd:shellcheck=shellcheck cmd:mandoc=mandoc \
  cmd:/usr/bin/python3=python3

define install_needs
missing=; for need in $(1); do probe=$${need%%=*}; found=; \
  case $$probe in \
  pkg:*) pkg-config --exists "$${probe#pkg:}" 2>/dev/null && found=1;; \
  py:*) /usr/bin/python3 -c "import $${probe#py:}" 2>/dev/null && found=1;; \
  cmd:*) command -v "$${probe#cmd:}" >/dev/null 2>&1 && found=1;; esac; \
  [ -n "$$found" ] || missing="$$missing $${need#*=}"; done; \
if [ -n "$$missing" ]; then \
  if ! command -v apt-get >/dev/null 2>&1; then echo "missing, by their Debian names:$$missing"; exit 1; fi; \
  sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; \
    command -v sudo >/dev/null 2>&1 || { echo "missing; as root: apt-get install$$missing"; exit 1; }; fi; \
  echo "installing with $${sudo:+sudo }apt-get:$$missing"; \
  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; fi
endef

# ---- flags ----
PKGS := vterm jansson libbsd-overlay libevent_core libzstd ncursesw
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

# ---- layers: each an archive; what each may use is in tests/lint/check_includes.py and docs/architecture.md ----
LAYERS := base term agent policy store rpc runner config host cli tui
sources = $(sort $(wildcard $(if $(filter tui,$(1)),tui,src/$(1))/*.c))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archives = $(patsubst %,$(BUILD)/lib%.a,$(1))
compile = $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP
group = -Wl,--start-group $(filter %.a,$(1)) -Wl,--end-group

BELOW_base := base
BELOW_term := term base
BELOW_agent := agent term base
BELOW_config := config base
BELOW_policy := policy agent config term base
BELOW_store := store config base
BELOW_rpc := rpc base
BELOW_runner := runner config base
BELOW_keeper := host runner config base
BELOW_host := host agent policy runner store rpc config term base
BELOW_cli := cli runner store rpc config base
BELOW_tui := tui rpc store config term base

LIBS_base := -ljansson -lbsd
LIBS_term := -lvterm -lzstd $(LIBS_base)
LIBS_host := -levent_core -lpthread $(LIBS_term)
LIBS_all := -lncursesw -ltinfo $(LIBS_host)

PROGRAMS := $(BUILD)/ganger $(BUILD)/ganger-host $(BUILD)/ganger-keeper $(BUILD)/ganger-fake
THEMES := $(patsubst themes/%,$(BUILD)/themes/%,$(wildcard themes/*.json))
TERMINFO := $(if $(wildcard tui/terminfo.src),$(BUILD)/terminfo/.made)

.PHONY: all programs run check unit fuzz lint deps install uninstall clean
all: $(BUILD)/.includes-checked $(PROGRAMS) $(THEMES) $(TERMINFO)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC $<")
	$(Q)$(compile) -c -o $@ $<

# Files compiled in by EMBED (base/embed.h).
$(BUILD)/obj/src/agent/rules.o: $(wildcard src/agent/rules/*.json)
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard src/config/*.c)): $(wildcard src/config/*.json)

define layer
$(call archives,$(1)): $(call objects,$(call sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

$(BUILD)/ganger: $(BUILD)/obj/src/main.o $(call archives,$(sort $(BELOW_cli) $(BELOW_tui)))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call group,$^) $(LIBS_all)

$(BUILD)/ganger-host: $(call archives,$(BELOW_host))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(call group,$^) $(LIBS_host)

# The keeper links libc alone, and is never built with sanitizers: it must stay tiny and start at once.
$(BUILD)/ganger-keeper: $(wildcard src/keeper/*.c src/keeper/*.h src/base/keeper_protocol.h src/base/ring.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) -D_GNU_SOURCE -Isrc -I. -std=c11 -O2 -g $(WARNINGS) -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE \
	  -D_FORTIFY_SOURCE=2 $(if $(WERROR),-Werror) $(CFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $(filter %.c,$^)

FAKE_SOURCES := $(filter-out tests/fake/mini_host.c,$(wildcard tests/fake/*.c))
$(BUILD)/ganger-fake: $(FAKE_SOURCES) $(wildcard tests/fake/*.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) -D_GNU_SOURCE -Itests -I. -std=c11 -O2 -g $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS) -o $@ $(FAKE_SOURCES)

$(BUILD)/themes/%.json: themes/%.json
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(BUILD)/terminfo/.made: tui/terminfo.src
	@mkdir -p $(@D)
	$(Q)tic -x -o $(@D) $< && touch $@

# An include that the layers do not allow fails the build; without python3 it is left to `make lint`.
$(BUILD)/.includes-checked: $(wildcard src/*/*.[ch] tui/*.[ch]) tests/lint/check_includes.py
	@mkdir -p $(@D)
	$(Q)if [ -x /usr/bin/python3 ]; then /usr/bin/python3 tests/lint/check_includes.py; fi && touch $@

# ---- tests ----
UNIT := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c tests/term/test_*.c))
FUZZ := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
layer_of = $(if $(filter tests/unit/%,$(1)),$(word 3,$(subst /, ,$(1))),term)

define test_program
$(BUILD)/tests/$(2): tests/$(2).c $(wildcard $(dir tests/$(2))*.h tests/unit/*.h) $(call archives,$(BELOW_$(1)))
	@mkdir -p $$(@D)
	$$(if $$(Q),@echo "  LD $$@")
	$$(Q)$$(CC) $$(CPPFLAGS) -Itests/unit $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$< $$(call group,$$^) \
	  $$(if $$(filter tui,$(1)),$$(LIBS_all),$$(if $$(filter host keeper cli,$(1)),$$(LIBS_host),$$(if $$(filter term agent policy,$(1)),$$(LIBS_term),$$(LIBS_base))))
endef
$(foreach t,$(wildcard tests/unit/*/test_*.c tests/term/test_*.c tests/fuzz/fuzz_*.c),\
  $(eval $(call test_program,$(call layer_of,$(t)),$(patsubst tests/%.c,%,$(t)))))
$(foreach t,$(wildcard tests/bench/*.c),$(eval $(call test_program,host,$(patsubst tests/%.c,%,$(t)))))

unit: $(UNIT) $(FUZZ) $(BUILD)/ganger-keeper $(BUILD)/mini-host
bench: $(BENCH)

$(BUILD)/mini-host: tests/fake/mini_host.c $(call archives,host base)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call group,$^) $(LIBS_host)

PYTEST := /usr/bin/python3 -m pytest -q -n 2 --dist loadfile -p no:cacheprovider --timeout 180
JOBS := -j$(shell nproc)

run:
	@$(call install_needs,$(BUILD_NEEDS))
	@$(MAKE) --no-print-directory $(JOBS) all
	@exec ./build/ganger

# The C tests and the fuzzers run under the sanitizers, the end-to-end tests on what is installed.
check:
	@$(call install_needs,$(BUILD_NEEDS) $(CHECK_NEEDS))
	@$(MAKE) --no-print-directory $(JOBS) all $(if $(CI),WERROR=1)
	@$(MAKE) --no-print-directory $(JOBS) SAN=1 unit
	@$(PYTEST) $(PYTEST_ARGS) tests

fuzz:
	@$(MAKE) --no-print-directory $(JOBS) SAN=1 unit
	for program in build-san/tests/fuzz/fuzz_*; do [ ! -x "$$program" ] || "$$program" $${SECONDS_EACH:-60} || exit 1; done

lint:
	@$(call install_needs,$(BUILD_NEEDS) $(LINT_NEEDS))
	/usr/bin/python3 tests/lint/check_includes.py
	CC="$(CC)" CPPFLAGS='$(CPPFLAGS)' tests/lint/check_headers.sh
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h' | grep -v width_table.h)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Isrc -I. src tui
	shellcheck .ci/run $$(git ls-files '*.sh')
	mandoc -T lint -W warning docs/*.[157]

deps:
	@$(call install_needs,$(BUILD_NEEDS) $(CHECK_NEEDS) $(LINT_NEEDS))

# ---- installation ----
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/ganger $(DESTDIR)$(PREFIX)/share/ganger/themes
	install -m 755 $(BUILD)/ganger $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/ganger-host $(BUILD)/ganger-keeper $(BUILD)/ganger-fake $(DESTDIR)$(PREFIX)/libexec/ganger/
	install -m 644 themes/*.json $(DESTDIR)$(PREFIX)/share/ganger/themes/
	install -m 644 src/config/schema.json $(DESTDIR)$(PREFIX)/share/ganger/config.schema.json
	cp -R $(BUILD)/terminfo $(DESTDIR)$(PREFIX)/share/ganger/
	for page in docs/*.[157]; do section=$${page##*.}; \
	  install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$$section/$${page#docs/}" || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/ganger
	rm -rf $(DESTDIR)$(PREFIX)/libexec/ganger $(DESTDIR)$(PREFIX)/share/ganger
	for page in docs/*.[157]; do rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page#docs/}"; done

clean:
	rm -rf build build-san

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
