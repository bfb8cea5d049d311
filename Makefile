# Everything that a developer or an evaluator needs: make run, make test.
SHELL := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO ?= go
BIN ?= bin
EXE ?=
export CGO_ENABLED ?= 0

.PHONY: build run odoo test bench bench-large lint needs

build: ## The two programs, into bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/branchline-agent$(EXE) ./agent
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/branchline-hub$(EXE) ./hub

run: build ## A hub, two branches and a simulated Odoo; CHECK=1 verifies and ends
	$(GO) build -o $(BIN)/branchline-demo$(EXE) ./internal/demo
	@exec $(BIN)/branchline-demo$(EXE) -bin $(BIN) $(if $(CHECK),-check)

odoo: ## A simulated Odoo alone, for trying a hub.yaml of one's own
	$(GO) build -o $(BIN)/branchline-demo$(EXE) ./internal/demo
	@exec $(BIN)/branchline-demo$(EXE) -odoo 127.0.0.1:8069

test: needs ## Everything, with the race detector
	@test -z "$$(gofmt -l agent hub internal packaging)" || { echo 'not gofmt-ed:'; gofmt -l agent hub internal packaging; exit 1; }
	$(GO) vet -trimpath ./...
	$(GO) vet -trimpath -tags killpoints ./...
	GOOS=windows $(GO) build -trimpath ./...
	GOOS=windows $(GO) vet -trimpath ./...
	CGO_ENABLED=1 $(GO) test -race -trimpath -vet=off -p 4 -timeout 20m ./internal/e2e ./agent/web ./hub/web ./... # what waits most begins first

BENCH := $(GO) test -p 1 -run '^$$' -benchmem
bench: ## The figures of the README, each a ratio to something measured in the same run
	$(BENCH) -bench 'Parse' ./internal/gs1
	$(BENCH) -bench 'AppendOne|AppendMany' -benchtime 3s ./agent/outbox
	$(BENCH) -bench 'Import' -benchtime 10x ./agent/dispense
	$(BENCH) -bench 'Backlog' -benchtime 3x ./internal/e2e
	$(BENCH) -bench 'Projection' -benchtime 200000x ./hub/projection
	$(BENCH) -bench 'Planned' -benchtime 5x ./hub/plan
	$(BENCH) -bench 'Dispensings' -benchtime 1x ./hub/post
	$(BENCH) -bench 'ScanToBeep' -benchtime 3x ./internal/e2e
	$(BENCH) -bench 'PageOf500' -benchtime 10x ./agent/web
	$(BENCH) -bench 'Board' -benchtime 20x ./hub/room ./hub/web
	$(BENCH) -bench 'LargeLedger' -benchtime 1x ./internal/e2e

bench-large: ## The same ledger with ten million movements: half an hour, and 6 GB in the temporary folder
	BRANCHLINE_MOVEMENTS=10000000 $(BENCH) -timeout 2h -bench 'LargeLedger' -benchtime 1x ./internal/e2e

lint: ## staticcheck, at the version that was last seen clean
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

# What the tests start besides our own programs. Installed on Debian as root,
# named otherwise.
needs:
	@missing=; \
	PATH=$$PATH:/usr/sbin; \
	command -v mosquitto >/dev/null || missing="$$missing mosquitto"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v promtool >/dev/null || missing="$$missing prometheus"; \
	command -v gcc >/dev/null || missing="$$missing gcc libc6-dev"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	  else \
	    echo "missing for the whole test:$$missing (Debian: sudo apt-get install$$missing); tests that need it are skipped"; \
	  fi; \
	fi
