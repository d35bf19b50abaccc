# Needs Python 3.11 or newer, pip and make; everything else goes into virtual environments here.
#   make demo   install without torch, extract from a sample text with the built-in model
#   make test   lint, types, import contracts, tests, doctests, docs
#   make lint   the first three of them
#   make guests tests that need the packages onepass is a guest of, the demo, Ray or splitters of
#               words; not part of `make test`
#   make builtin DATA=...  train a model like the one that ships, from public data (three hours on two cores)
#   make docs   write what the code of the pages prints now into the pages
#   make clean  remove what these made

PYTHON ?= python3
PIP := -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
DEMO := .venv-demo
TEST := .venv-test
GUESTS := .venv-guests
DATA ?= data
GUEST_PAGES := $(foreach page,extractor files integrations results,'tests/docs/test_docs.py::test_page_does_what_it_says[$(page).md]')
GUEST_TESTS := src/onepass/integrations tests/integrations tests/demo tests/results \
	tests/batch/test_ray.py tests/batch/test_run.py tests/corpus/test_docbin.py tests/models/test_texts.py tests/text/test_libraries.py \
	tests/text/test_stanza_words.py $(GUEST_PAGES)
SOURCES := $(shell find src -type f -not -name '*.pyc')
SAMPLE := Tim Cook announced the iPhone 15 for $$999 in Cupertino yesterday. Reviewers love it.

.PHONY: demo test lint guests docs builtin clean python

demo: $(DEMO)/.installed
	@echo '$(SAMPLE)'
	@$(DEMO)/bin/onepass extract '$(SAMPLE)' \
		-e person -e product -e location -e price \
		-c 'sentiment=positive,negative,neutral' \
		-r 'announced' \
		-s 'product: name::str, price::str' \
		--format table

# What is compiled is kept, whatever the environment says: tests start many processes of onepass.
test: lint
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(TEST)/bin/pytest -n 2 --dist loadfile

lint: $(TEST)/.installed
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy
	$(TEST)/bin/lint-imports

guests: $(GUESTS)/.installed
	OMP_NUM_THREADS=1 $(GUESTS)/bin/pytest -rs $(GUEST_TESTS)

docs: $(TEST)/.installed
	OMP_NUM_THREADS=1 $(TEST)/bin/python tests/docs/write_docs.py

builtin: $(TEST)/.installed
	$(TEST)/bin/python $(PIP) --editable '.[dev,parity,train,data,recipe]'
	$(TEST)/bin/python recipes/builtin/convert.py $(DATA) runs/data
	$(TEST)/bin/python recipes/builtin/start.py runs/start
	$(TEST)/bin/onepass train recipes/builtin/train.json
	$(TEST)/bin/python recipes/builtin/reranker.py runs/builtin/final runs/builtin/reranked runs/data
	$(TEST)/bin/python recipes/builtin/finish.py runs/builtin/reranked $(DATA) runs/data

$(DEMO)/.installed: $(SOURCES) pyproject.toml constraints.txt | python
	@echo 'Installing onepass without torch into $(DEMO)'
	@$(PYTHON) -m venv --clear $(DEMO)
	@$(DEMO)/bin/python $(PIP) .
	@touch $@

$(TEST)/.installed: pyproject.toml constraints.txt | python
	@echo 'Installing onepass, its tools and the reference libraries into $(TEST)'
	@$(PYTHON) -m venv --clear $(TEST)
	@$(TEST)/bin/python $(PIP) torch==2.13.0
	@$(TEST)/bin/python $(PIP) --editable '.[dev,parity,train,data,openvino]'
	@touch $@

$(GUESTS)/.installed: pyproject.toml constraints.txt | python
	@echo 'Installing onepass and the packages that it is a guest of into $(GUESTS)'
	@$(PYTHON) -m venv --clear $(GUESTS)
	@$(GUESTS)/bin/python $(PIP) torch==2.13.0
	@$(GUESTS)/bin/python $(PIP) --editable '.[dev,guests,demo,ray,universal,stanza]' 'playwright>=1.50' polars
	@touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "onepass needs Python 3.11 or newer, and $(PYTHON) is %d.%d: run  make PYTHON=python3.11" % sys.version_info[:2])'

clean:
	rm -rf $(DEMO) $(TEST) $(GUESTS) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
