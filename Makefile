# SPDX-License-Identifier: BSD-2-Clause
# make          builds ./pymemtop
# make demo     installs what is missing, builds, and profiles a leaking program
# make test     installs what is missing, builds, and runs every test
# make unit     builds, and runs the tests that need no root: takes seconds
# make lint     clang-format, clang-tidy, cppcheck, shellcheck, codespell
# make test-kernels  boots kernels under emulation and runs tests in them; KERNELS="6.1 newest"
#               picks some of tests/kernels/kernels, CHECKS=--all runs every check
# make bench    measures probes, and whole programs, alone and under profilers; needs PyPI
# make install  takes the usual PREFIX and DESTDIR
# make wheel    a Python wheel of a static program, into dist/: pip install dist/*.whl
# V=1 shows the commands; WERROR=1 turns warnings into errors; SANITIZE=1 builds with ASan, UBSan.
# To build for another machine, set MACHINE, CC, SYSROOT and PKG_CONFIG as tests/tools/cross does.

BUILD ?= build
PROGRAM ?= pymemtop
CLANG ?= clang
BPFTOOL ?= /usr/sbin/bpftool
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
MACHINE ?= $(shell uname -m)
ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(MACHINE)))

ifeq ($(V),1)
Q =
msg =
else
Q = @
msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

WARNINGS := -Wall -Wextra $(if $(WERROR),-Werror)
CFLAGS ?= -g -O2 $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
comma := ,
LIBRARIES := capstone libbpf libcap-ng libcurl libelf libmicrohttpd ncursesw yajl zlib
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) -Ibpf -Iuser -isystem $(BUILD) \
	$(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -lm
# pkg-config does not know yajl's archive.
STATIC_LDLIBS = $(subst -lyajl,-lyajl_s,$(shell $(PKG_CONFIG) --static --libs \
	$(filter-out libcurl libmicrohttpd,$(LIBRARIES)))) -lm
VERSION := $(shell sed -n 's/.*PYMEMTOP_VERSION "\(.*\)"/\1/p' user/version.h)
# Some of the kernel's UAPI headers are per architecture. BPF programs declare the full signature of
# what they probe, including arguments that they do not read.
BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) $(WARNINGS) \
	-ffile-prefix-map=$(CURDIR)=. -Wno-unused-parameter -Ivmlinux -Ibpf -I$(SYSROOT)/usr/include/$(MACHINE)-linux-gnu

SOURCES := $(wildcard user/*.c user/*/*.c)
OBJECTS := $(patsubst user/%.c,$(BUILD)/%.o,$(SOURCES))
# Everything but main(); the unit tests link it, too.
LIBRARY := $(BUILD)/libpymemtop.a
MANUAL := $(BUILD)/pymemtop.8

.PHONY: all demo test unit lint test-kernels bench install wheel clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM) $(MANUAL)

$(PROGRAM): $(BUILD)/main.o $(LIBRARY)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The same, with nothing to find at run time; without HTTP, as TLS has no archives.
$(BUILD)/static/pymemtop: $(BUILD)/main.o $(BUILD)/serve/static/http.o \
		$(BUILD)/serve/static/fetch.o $(LIBRARY)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -s $^ $(STATIC_LDLIBS) -o $@

wheel: $(BUILD)/static/pymemtop
	$(Q)python3 scripts/wheel.py $< $(VERSION) $(MACHINE) dist

# The program prints the list of options from its own tables.
$(MANUAL): doc/pymemtop.8.in $(PROGRAM)
	$(call msg,MAN,$@)
	$(Q)./$(PROGRAM) completion man > $@.options
	$(Q)sed -e '/^@OPTIONS@$$/{r $@.options' -e 'd}' $< > $@

$(LIBRARY): $(filter-out $(BUILD)/main.o,$(OBJECTS))
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# -MMD does not tell make of what is not in SOURCES.
$(BUILD)/serve/static/http.o: user/serve/http.h
$(BUILD)/serve/static/fetch.o: user/serve/fetch.h

$(BUILD)/%.o: user/%.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The skeletons and scripts that a file includes must exist before its first compilation.
$(foreach source,$(SOURCES),$(eval $(patsubst user/%.c,$(BUILD)/%.o,$(source)): \
	$(patsubst %,$(BUILD)/%,$(shell sed -nE 's/^#include "(.*\.(skel|js|html)\.h)"/\1/p' $(source)))))

$(BUILD)/%.bpf.o: bpf/%.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen object $(BUILD)/$*.linked.o $<
	$(Q)$(BPFTOOL) gen skeleton $(BUILD)/$*.linked.o name $*_bpf > $@

# A script or a page as a string of C.
define embed
	$(call msg,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q){ echo 'static const char $1[] ='; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } > $@
endef

$(BUILD)/%.js.h: user/render/%.js
	$(call embed,$*_js)

$(BUILD)/%.html.h: user/serve/%.html
	$(call embed,$*_html)

demo:
	$(Q)scripts/setup
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/demo

test:
	$(Q)scripts/setup test
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(MAKE) --no-print-directory -C tests

unit: all
	$(Q)$(MAKE) --no-print-directory -C tests unit

lint:
	$(Q)scripts/setup lint
	$(Q)$(MAKE) --no-print-directory compile_commands.json
	$(Q)scripts/lint

# One compile command per file, for editors and clang-tidy.
compile_commands.json: Makefile $(SOURCES) | all
	$(call msg,GEN,$@)
	$(Q)for file in $(SOURCES); do \
		printf '{"directory": "%s", "file": "%s", "command": "%s -c %s"},\n' "$$PWD" \
			"$$file" '$(CC) $(ALL_CFLAGS)' "$$file"; \
	done | sed -e '1s/^/[/' -e '$$s/,$$/]/' > $@

KERNELS ?= $(shell sed -nE 's/^([a-z0-9][^[:space:]]*).*/\1/p' tests/kernels/kernels)

test-kernels:
	$(Q)scripts/setup kernels
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/kernels/run $(CHECKS) $(KERNELS)

bench:
	$(Q)scripts/setup bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(CC) $(ALL_CFLAGS) scripts/trap-cost.c -o $(BUILD)/trap-cost -lbpf
	$(Q)$(BUILD)/trap-cost
	$(Q)/usr/bin/python3.11 scripts/bench.py $(BENCH)

install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/sbin/pymemtop
	install -D -m 644 $(MANUAL) $(DESTDIR)$(PREFIX)/share/man/man8/pymemtop.8
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	./$(PROGRAM) completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pymemtop
	./$(PROGRAM) completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pymemtop.fish

clean:
	$(Q)rm -rf $(BUILD) $(PROGRAM)
	$(Q)$(MAKE) --no-print-directory -C tests clean

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)
