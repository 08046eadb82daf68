# What can be done here; 'make help' lists it. A fresh Debian 12 machine needs git, make and Go 1.26 for
# all of it: each target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SEEDS ?= 2000# simulated campaigns that 'make test' runs
MUTATIONS ?= 1000000# inputs of 'make mutate'
FUZZTIME ?= 10s# of each fuzz target
ROUNDS ?= 3# of soak and compare
FLEETS ?= 10000# that audit-fleets plans
HOSTS ?= 100# of churn
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

##@ First run
demo: ## real libvirt hosts and guests as root on Debian 12, else simulated ones: from advisory to report
	@lab/demo/run
demo-simulated: ## the same on simulated hosts, wherever this is
	@EVENKEEL_DEMO=simulated lab/demo/run
demo-refresh: ## QEMU's fix on the same hosts without any reboot: each guest moved once (root on Debian 12)
	@lab/demo/refresh
demo-down: ## stop all that a demo left running
	@lab/demo/down

##@ Every day
build: ## bin/evenkeel
	go build -o bin/ ./cmd/evenkeel
test: ## lint, all tests with the race detector, and SEEDS simulated campaigns (2000)
test: lint
	@.ci/need gcc:gcc,libc6-dev
	@command -v gcc >/dev/null || echo "make test: no gcc here and no root to install it: without the race detector"
	go test $$(command -v gcc >/dev/null && echo -race) -timeout 15m ./...
	go test ./internal/sim -run Seeds -seeds=$(SEEDS) -timeout 20m
lint: ## gofmt, vet, staticcheck, shellcheck where it is installed
	@bad=$$(gofmt -l cmd internal lab schema *.go); [ -z "$$bad" ] || { echo "not gofmt'ed: $$bad"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@! command -v shellcheck >/dev/null || shellcheck -x -P SCRIPTDIR $$(grep -rlE '^#!/bin/bash' .ci lab)
fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -rlE --include='*_test.go' '^func Fuzz' internal lab | sort | while read -r f; do \
	  for t in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$$f"); do \
	    echo "$$t in $$(dirname "$$f")"; go test "./$$(dirname "$$f")" -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME); \
	  done; done
mutate: ## MUTATIONS (1000000) damaged advisories of every form: read or refused with a place, never a panic
	go test ./internal/advisory/parse -run Mutations -mutations $(MUTATIONS) -timeout 1h
audit-fleets: ## FLEETS (10000) random fleets planned, and judged by other code than the planner's
	go test ./internal/audit -run PlannedFleets -fleets $(FLEETS) -v -timeout 30m
churn: ## campaigns over HOSTS (100) simulated hosts that are lost, grow sick and change: docs/studies/churn.md
	go run ./lab/cmd/churn -hosts $(HOSTS) -out docs/studies/churn.md
bench: ## all benchmarks
	go test -run '^$$' -bench . -benchmem ./...
bench-planner: ## the planner beside hroller and the bounds, up to 100,000 hosts: docs/planner.md (half an hour)
bench-planner: build
	@.ci/need hroller:ganeti-htools
	go run ./lab/cmd/benchplanner -evenkeel bin/evenkeel -page docs/planner.md -curve docs/planner-cost.svg
bench-planner-short: ## the same for smaller fleets, in less than a minute
bench-planner-short: build
	@.ci/need hroller:ganeti-htools
	go run ./lab/cmd/benchplanner -evenkeel bin/evenkeel -short

##@ Real hosts (root on Debian 12)
test-libvirt: ## the libvirt driver's conformance and fault tests, on a lab of their own (10 min)
	@lab/libvirt/test
lab-xen: ## two real Xen hosts with PV and PVH guests, emulated; says how to use and to stop them (root on Debian 12)
	@lab/xen/up
test-xen: ## the Xen driver on two real hosts, and a campaign whose server is killed (18 min on a busy machine)
	@lab/xen/test
soak: ## ROUNDS demos with server and destinations killed, all libvirt and Xen tests, 10 x SEEDS, fuzz 60s each
	@for n in $$(seq $(ROUNDS)); do lab/demo/kill9; lab/demo/crash-destination; done
	@lab/demo/down; lab/libvirt/test; lab/xen/test all
	go test ./internal/sim -run Seeds -seeds=$$(( $(SEEDS) * 10 )) -timeout 4h
	@$(MAKE) --no-print-directory churn
	@$(MAKE) --no-print-directory fuzz FUZZTIME=60s
	@$(MAKE) --no-print-directory mutate
compare-xen: ## the same on Xen, beside bare xl and xen-livepatch: wall time, hosts with two minutes of firmware (POST=SECONDS)
	@lab/compare/xen 1 suspend
study: ## the Xen campaigns of September 2014 and March 2015 planned on simulated hosts, beside what was reported: docs/studies (1 min)
	go run ./lab/cmd/study -of march-2015 -out docs/studies/march-2015.md
	go run ./lab/cmd/study -of september-2014 -out docs/studies/september-2014.md -picture docs/studies/september-2014.svg
compare: ## ROUNDS times the same maintenance by hand with virsh and by evenkeel: wall time, blackouts
	@lab/compare/run $(ROUNDS)

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: audit-fleets churn demo demo-simulated demo-refresh demo-down build test lint fuzz mutate bench bench-planner bench-planner-short test-libvirt lab-xen test-xen soak compare compare-xen study help
