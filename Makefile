# Every command of the project; `make help` lists them.
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: help run test prove lint types generate generate-check lock requirements bench pressure chaos cluster attacks guarantees simulate web wheels venv released
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | while IFS="$$(printf '\t')" read -r name text; do printf '  %-15s %s\n' "$$name" "$$text"; done

run: ## Start the hub, the page and the reference product
	@$(PYTHON) requirements/venv.py runtime
	@$(PYTHON) requirements/page.py build --best-effort
	@.venv/bin/rthub demo

test: ## Install what is missing, then run every suite (SUITES="lint unit" for some)
	@$(PYTHON) requirements/venv.py test
	@$(PY) -m tests.run $(SUITES)

prove: venv ## Prove the guarantees in full: validators, 2,000 simulations, 20 kills, attacks, granian, benchmarks, browsers (GUARANTEE=G2: one validator)
	@$(PY) -m $(if $(GUARANTEE),pytest tests/guarantees --guarantee $(GUARANTEE),tests.run --full guarantees wire simulation chaos cluster attacks bench pressure browser web-engines)

lint: venv ## Check style, imports and the contract
	@$(PY) -m tests.run lint

types: venv ## Check the types
	@$(PY) -m tests.run types

generate: venv ## Generate Python and TypeScript from protos/
	@$(PYTHON) requirements/page.py install
	@$(PY) protos/tools/generate.py

generate-check: venv ## Fail if the committed generated code is not what protos/ gives
	@$(PYTHON) requirements/page.py install
	@$(PY) protos/tools/generate.py --check

released: venv ## Freeze the contract: with a release only
	@.venv/bin/buf build protos --exclude-path protos/shipspeak/realtime/internal --exclude-source-info -o protos/released.binpb

lock: venv ## Resolve requirements/*.in again and pin them with hashes
	@$(PY) requirements/lock.py

requirements: venv ## Print each requirement with its tests; fail if a shipped one has none
	@$(PY) -m tests.requirements_index

bench: venv ## Measure throughput, latency and memory beside a tutorial-style hub
	@$(PY) -m benchmarks.bench $(ARGS)

pressure: venv ## Measure stopped readers, urgent events behind slow ones, and reconnect storms
	@$(PY) -m benchmarks.pressure $(ARGS)

guarantees: venv ## Try the validators, and judge 100 simulated hubs by them
	@$(PY) -m tests.run guarantees simulation

simulate: venv ## Simulate hub, network and clients on one clock, and tell the cost (SEEDS=10000; SEED=17: one, with its trace's hash)
	@$(PY) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000))

chaos: venv ## Kill, freeze and starve the hub 20 times under load and judge what all sides saw
	@$(PY) -m tests.chaos $(if $(SEED),--seed $(SEED))

cluster: venv ## Kill and freeze three workers 20 times under load, judge what all sides saw, time the silences
	@$(PY) -m tests.cluster $(if $(SEED),--seed $(SEED))

attacks: venv ## Attack a hub that serves 100 bystanders, row by row (ROWS="none-alg": some; FUZZ=600: fuzz its decoders so long)
	@$(if $(FUZZ),FUZZ=$(FUZZ) $(PY) -m pytest tests/attacks/test_fuzz.py,$(PY) -m tests.attacks $(if $(ROWS),--rows "$(ROWS)"))

web: ## Build the browser client and the page
	@$(PYTHON) requirements/page.py build

wheels: venv web ## Build both distributions into dist/, the page inside the hub's
	@$(PY) requirements/wheels.py

venv: ## Make .venv with everything that development needs
	@$(PYTHON) requirements/venv.py test
