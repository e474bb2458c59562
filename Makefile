# What one does with Slipway; `make` alone lists it. Go, make and git are all that is needed.

# The race detector needs a C compiler. Where there is none the go command turns cgo off, and tests run without it. It also checks
# pointers, but not in the database: that is C translated to Go, and there the checks take a third of the time of all its tests.
UNCHECKED := -gcflags=modernc.org/...=-d=checkptr=0
RACE      := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race $(UNCHECKED))
FUZZTIME ?= 10s
DATA     ?= data

.DEFAULT_GOAL := help
.PHONY: help run demo demo-rollback run-split build test test-clients laws test-health race fuzz bench lint fmt generate check clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Everything in one process, data in ./data (DATA=dir for elsewhere)
	go run ./cmd/slipway serve --data $(DATA)

demo: ## In a second terminal: roll out v2 and v3 under load, count failed requests
	go run ./cmd/slipway demo --data $(DATA)

demo-rollback: ## In a second terminal: a bad version is caught by a check of a real Prometheus and rolled back under load
	scripts/prometheus prometheus
	go run ./cmd/slipway demo --rollback --data $(DATA)

run-split: build ## Everything as in production: NATS server, api, updater, projector, agent, a process each
	scripts/run-split

build: ## All programs into ./bin
	go build -o bin/ ./cmd/...

test: ## All tests, with the race detector where there is a C compiler
	$(if $(RACE),,@echo "no C compiler: the tests run without the race detector")
	go test $(RACE) -timeout 5m ./...

test-clients: ## With the real cf and nats CLIs, which are built once (bin/): some minutes more the first time
	scripts/client nats
	scripts/client cf
	# They mostly wait for their programs. -count 1: the go command does not see what they depend on.
	go test -C test/clients $(RACE) -timeout 9m -parallel 6 -count 1 ./...

test-health: ## With a real Prometheus and Alertmanager, which are fetched once (bin/): bad versions are caught and rolled back
	scripts/prometheus
	go test $(RACE) -timeout 5m -count 1 ./test/health

laws: ## The laws of rollouts: 100,000 random histories, and every interleaving in small scopes (SCOPE=night for larger ones)
	scripts/laws

race: ## All tests three times in random order: looks for what happens now and then
	go test -race $(UNCHECKED) -shuffle on -count 3 -timeout 15m ./...

fuzz: ## Every fuzz target for FUZZTIME (10s)
	scripts/fuzz $(FUZZTIME)

bench: ## All benchmarks, and how long a push with the real cf CLI takes
	go test -run '^$$' -bench . -benchmem ./...
	go test -C test/clients -run TestCFSpeed -v -count 1 .

lint: ## gofmt, go vet, staticcheck, and the project's own rules (internal/architecture)
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not formatted (make fmt):"; echo "$$files"; exit 1; }
	go vet ./...
	go build -C internal/tools -o ../../bin/ honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...
	cd test/clients && go vet ./... && ../../bin/staticcheck ./...
	go test ./internal/architecture

fmt: ## Formats all Go code
	gofmt -w .

generate: ## Writes what is generated: docs/events.md, and what comments say of fields for /openapi.json
	go generate ./...

check: lint test laws test-clients test-health ## What CI runs

clean: ## Removes what was built; ./data stays
	rm -rf bin
