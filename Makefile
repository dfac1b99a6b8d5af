# `make run` builds what is not built yet and serves Pitwall on this machine.
# Options for the server: make run ARGS="--addr 127.0.0.1:4000".
ARGS ?=
SHELL := bash

.PHONY: run build test test-browsers dev bench soak fuzz lighthouse large-runs bench-studio

run: build
	@exec target/release/pitwall serve $(ARGS)

build:
	@scripts/build.sh

# All checks; ends with `N passed, N failed`.
test:
	@scripts/test.sh

# The main paths in Firefox and WebKitGTK, through WebDriver.
test-browsers: build
	@scripts/setup.sh browsers
	@. scripts/environment.sh && exec xvfb-run --auto-servernum playwright test --config end2end/browsers.config.ts

# Builds anew and reloads the browser whenever a source changes.
dev:
	@scripts/setup.sh build
	@. scripts/environment.sh && exec cargo leptos watch -- serve $(ARGS)

bench:
	@scripts/setup.sh build
	@scripts/bench.sh $(ARGS)

# Measures Pitwall beside AutoGen Studio, which is installed where it is absent; ALONE=1 measures Pitwall alone.
bench-studio: build
	@ALONE="$(ALONE)" scripts/studio-bench.sh

# Uses a server for MINUTES (30) and checks that it does not grow.
soak:
	@scripts/setup.sh build
	@MINUTES="$(MINUTES)" scripts/soak.sh

# Looks for inputs that break what reads bytes from outside, SECONDS_EACH (60) for each target.
fuzz:
	@scripts/fuzz.sh

# Measures every page as a phone and as a desktop; ONLY=run measures one.
lighthouse: build
	@ONLY="$(ONLY)" scripts/lighthouse.sh

# Measures the pages of runs with 1,000 nodes and up to 100,000 events.
large-runs: build
	@. scripts/environment.sh && exec node end2end/large-run.mjs
