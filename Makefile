# ganger: `make` builds, `make run` opens the dashboard, `make check` tests, `make lint` checks the style.
# V=1 shows the commands, SAN=1 builds with address and undefined-behaviour sanitizers (in build-san),
# WERROR=1 makes warnings errors. `make install PREFIX=/usr/local DESTDIR=` installs.

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
BUILD := $(if $(SAN),build-san,build)
Q := $(if $(V),,@)

PKGS := vterm jansson libbsd-overlay libevent_core libzstd
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) ncursesw 2>/dev/null)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wimplicit-fallthrough -fno-common
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
OPT := $(if $(SAN),-O1 -g -fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer,-O2 -g)
, := ,
CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -I$(BUILD)/gen -DGANGER_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
CFLAGS ?=
ALL_CFLAGS := -std=c11 $(OPT) $(HARDEN) $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=address$(,)undefined) $(LDFLAGS)

# Each layer is an archive; a program links the layers it may use, highest first (design of the layers: docs/architecture.md).
LAYERS := base term agent policy store rpc runner config host cli
layer_sources = $(sort $(wildcard $(if $(filter tui,$(1)),tui,src/$(1))/*.c))
object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archive = $(BUILD)/lib$(1).a

.PHONY: all clean
all: $(BUILD)/ganger $(BUILD)/ganger-host $(BUILD)/ganger-keeper $(BUILD)/ganger-fake terminfo themes

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC $<")
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Files compiled in by EMBED (base/embed.h).
$(BUILD)/obj/src/agent/rules.o: $(wildcard src/agent/rules/*.json)

define layer_rule
$(call archive,$(1)): $(call object,$(call layer_sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS) tui,$(eval $(call layer_rule,$(l))))

LIBS_BASE := -ljansson -lbsd
LIBS_HOST := -lvterm -levent_core -lzstd $(LIBS_BASE) -lpthread
LIBS_GANGER := -lncursesw -ltinfo $(LIBS_HOST)

HOST_LAYERS := host agent policy runner store rpc config term base
$(BUILD)/ganger-host: $(foreach l,$(HOST_LAYERS),$(call archive,$(l)))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_HOST)

GANGER_LAYERS := cli tui runner store rpc config agent term base
$(BUILD)/ganger: $(BUILD)/obj/src/main.o $(foreach l,$(GANGER_LAYERS),$(call archive,$(l)))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(BUILD)/obj/src/main.o -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_GANGER)

# The keeper links libc alone.
$(BUILD)/ganger-keeper: $(call object,$(wildcard src/keeper/*.c))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf build build-san
