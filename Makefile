# make demo: everything on data that needs no download, in a scratch clone.
# make test: the tests.          make quick: those that take seconds, for the edit loop.
# make repro: the real thing, on MNIST.
# make benchmark: the speed of a training step, against other code and the machine's limit.

PYTHON ?= python3.11
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: demo test quick repro replicates ablation benchmark check lock deps readme notebooks reference \
    mutants kills faults audit clean

# uv installs what pip would, from the same hashed list, and shows how far it is: it is the first
# thing that pip installs. `make INSTALLER=pip …` does without it.
INSTALLER ?= uv
install-with-pip := .venv/bin/pip install --quiet
install-with-uv := .venv/bin/uv pip install --compile-bytecode --python .venv/bin/python

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock > .venv/uv.lock
	$(install-with-pip) --require-hashes -r .venv/uv.lock
	$(install-with-$(INSTALLER)) --require-hashes -r requirements.lock
	$(install-with-$(INSTALLER)) --no-deps --no-build-isolation --editable .
	touch $@

demo: .venv/.ready
	rm -rf tmp/demo
	git clone --quiet . tmp/demo
	cp demo/params.yaml tmp/demo/params.yaml
	cd tmp/demo && PYTHONPATH=$(CURDIR)/tmp/demo/src dvc repro
	@echo "The report is at $(CURDIR)/tmp/demo/report/report.html"

# A process for each core, with one thread each: two that each use all cores get in their way.
pytest := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: .venv/.ready
	$(pytest)

quick: .venv/.ready
	$(pytest) -m "not pipeline and not slow"

# What is wrong in the last stage's parameters is told before the first stage runs.
repro: .venv/.ready
	nicelab check
	dvc repro
	@echo "The report is at $(CURDIR)/report/report.html"

# The recipes with two other seeds, for the error over trainings: twice the time of `train`.
# Of one family: `dvc repro replicates/dvc.yaml:replicate@nice-1`, and so on.
replicates: .venv/.ready
	dvc repro prepare
	dvc repro replicates/dvc.yaml
	python -m nicelab.likelihood.replicates

# What the parts of Glow are worth: short trainings without one of them each, half an hour.
ablation: .venv/.ready
	dvc repro prepare
	dvc repro ablation/dvc.yaml
	python -m nicelab.ablation.study

# The other code bases go into a folder of their own, without what they would pull in.
tmp/peers: .venv/.ready benchmarks/requirements.txt
	rm -rf $@
	.venv/bin/pip install --quiet --no-deps --no-build-isolation --target $@ \
	    -r benchmarks/requirements.txt

benchmark: tmp/peers
	PYTHONPATH=tmp/peers python benchmarks/throughput.py

# dvc.lock must belong to the code and parameters as they stand.
check: .venv/.ready
	ruff check .
	ruff format --check .
	python tests/lock.py
	zizmor --offline --quiet .github

lock:
	$(PYTHON) -m venv tmp/uv && tmp/uv/bin/pip install --quiet uv
	tmp/uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	    --no-annotate --generate-hashes --custom-compile-command "make lock" -o requirements.lock

# What each stage imports goes into dvc.yaml.
deps: .venv/.ready
	python -m nicelab.pipeline.deps

# Run the notebooks, and keep what they give.
notebooks: .venv/.ready
	python tests/notebooks.py

# Pages from the docstrings of the whole package, with their formulas.
reference: .venv/.ready
	pdoc --docformat google --math --output-directory tmp/reference nicelab

readme: .venv/.ready
	python -m nicelab.report.readme

# Does a test notice when the mathematics is wrong? An hour on two cores.
mutants: .venv/.ready
	python tests/mutants.py

# Does a run that is killed fifty times end as it should?
kills: .venv/.ready
	cd tests && python kills.py

# Does a stage whose system calls fail keep its old outputs, and say so on one line? Needs strace.
faults: .venv/.ready
	cd tests && python faults.py

# The licences of all that is installed, and its known vulnerabilities.
audit: .venv/.ready
	uvx pip-licenses --python .venv/bin/python --format markdown --order name --output-file docs/licences.md
	uvx pip-audit --strict --disable-pip --no-deps -r requirements.lock

clean:
	rm -rf .venv tmp
