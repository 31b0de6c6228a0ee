# streamcanary. `make help` lists what can be made.
# Works with GNU make 3.81 and BSD tools, as on macOS.

GO            ?= go
BIN           := $(CURDIR)/bin
LINT_VERSION  := v2.15.0
LINT          := $(BIN)/golangci-lint
VERSION       ?=
FUZZTIME      ?= 30s
PACKAGES      ?= ./...
RUN_FLAGS     ?=
GOFMT          = $$($(GO) env GOROOT)/bin/gofmt
FOLDERS       := cmd config prober statuspage

# go stamps a binary with the commit, and fails where git does not answer: in a
# checkout that is somebody else's (safe.directory), for one.
ifneq ($(shell git rev-parse HEAD >/dev/null 2>&1 && echo answers),answers)
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -buildvcs=false)
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## list what can be made
	@echo "usage: make TARGET"
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build, and run the demo: platform, agents, hub and page on http://127.0.0.1:8080 (RUN_FLAGS=...)
	$(BIN)/streamcanary demo $(RUN_FLAGS)

.PHONY: build
build: ## build bin/streamcanary, a static binary
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN)/streamcanary ./cmd/streamcanary

.PHONY: test
test: fmt vet lint tools unit ## check everything: format, vet, lint, tests with the race detector, end to end
	@echo "make test: all good"

.PHONY: fmt
fmt: ## fail when gofmt would change a file
	@changed="$$($(GOFMT) -l $(FOLDERS))"; \
	if [ -n "$$changed" ]; then echo "gofmt would change these; run gofmt -w on them:"; echo "$$changed"; exit 1; fi

.PHONY: vet
vet: ## go vet, for macOS too
	$(GO) vet $(PACKAGES)
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet $(PACKAGES)

.PHONY: lint
lint: $(LINT)-$(LINT_VERSION) ## golangci-lint, the pinned version
	$(LINT) run $(PACKAGES)

# The empty file's name says which version bin/golangci-lint is.
$(LINT)-$(LINT_VERSION):
	@mkdir -p $(BIN)
	@rm -f $(LINT)-v*
	@if [ "v$$($(LINT) version --short 2>/dev/null)" != "$(LINT_VERSION)" ]; then \
	  echo "installing golangci-lint $(LINT_VERSION); the first time takes some minutes"; \
	  GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION); \
	fi
	@touch $@

.PHONY: tools
tools: ## install what the end-to-end tests run (Debian as root; elsewhere says what is missing)
	@./.ci/tools

.PHONY: unit
unit: ## all tests, end to end included, with the race detector and in random order
	$(GO) test -race -shuffle=on -timeout 15m $(PACKAGES)

.PHONY: drills
drills: ## play every required fault in a real demo and read the page (6 min)
	STREAMCANARY_DRILLS=all $(GO) test -count=1 -v -run '^TestDrills$$' -timeout 20m ./cmd/streamcanary

.PHONY: soak-servers
soak-servers: ## real servers: 5 minutes of canaries at all of them, then each broken; writes deploy/servers.md (10 min)
	STREAMCANARY_SERVERS=5m $(GO) test -count=1 -v -run '^TestServersHealthy$$' -timeout 20m ./cmd/streamcanary -update
	STREAMCANARY_SERVERS=5m $(GO) test -count=1 -v -run '^TestServersFail$$' -timeout 20m ./cmd/streamcanary

.PHONY: bench
bench: build ## benchmarks, and detect: time from a fault to its public incident (15 min; DETECT_DRILLS=2 is quick)
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(PACKAGES)

.PHONY: simulate
simulate: ## the engine's tables of faults and of false openings, 300 component-years a claim; writes them (hours)
	$(GO) test ./statuspage/incident -run 'TestFaults|TestPlaceRight|TestRates|TestDelivery|TestSkip' -simulate -update -timeout 0

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for package in $$($(GO) list $(PACKAGES)); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$package || exit 1; \
	  done; \
	done

.PHONY: fuzz-long
fuzz-long: ## the parsers of what comes from servers, 10 minutes each (4 hours; in the background: nice make fuzz-long)
	@for package in ./prober ./prober/hls ./prober/media ./prober/rtmp ./prober/origin ./prober/platform ./prober/api; do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime 10m -fuzzminimizetime 100x -parallel 1 $$package || exit 1; \
	  done; \
	done

.PHONY: golden
golden: ## write the golden files anew; read the difference before you commit it
	@for package in $$($(GO) list -f '{{.Dir}} {{.ImportPath}}' $(PACKAGES) | while read -r dir path; do \
	    if grep -qs 'flag.Bool("update"' "$$dir"/*_test.go; then echo "$$path"; fi; done); do \
	  $(GO) test -count=1 $$package -update || exit 1; \
	done
	UPDATE_SCRIPTS=1 $(GO) test -count=1 -run '^TestScript$$' ./cmd/streamcanary

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
