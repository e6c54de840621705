# make book · pdf · course · check · test · portable · coverage · lint · bench · league · sweep · clean.  Each target sets up .venv by itself; PYTHON=python3.12 picks another interpreter.
SHELL := /bin/sh
PYTHON ?= python3
RUN := .venv/bin/python
STARTED := $(shell date +%s)
export STARTED
# One BLAS thread a process: the work is in many small arrays, and the tests run two processes at a time.
export OPENBLAS_NUM_THREADS = 1
export OMP_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export PYDEVD_DISABLE_FILE_VALIDATION = 1
# Hundreds of processes import the package: compiled once, it is kept, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE = 0
WORKERS ?= 2
OUT ?= sweep
KIT ?= kit

.PHONY: help book pdf course check test portable coverage lint bench league sweep clean environment

help:
	@echo "make book    build the book and print the path of the page to open"
	@echo "make pdf     build the book and print it as one PDF, which needs Chromium"
	@echo "make course  make a kit for a course: notebooks, slides, figures, handouts; KIT=kit where, COURSE_ARGS='--lecture 2' of what"
	@echo "make check   run the tests that take seconds: no notebooks, browser, kills or builds"
	@echo "make test    run every test and every notebook"
	@echo "make portable run the notebooks as processors of other kinds would"
	@echo "make coverage which lines and branches the quick tests reach"
	@echo "make lint    check style, types, import layers and spelling"
	@echo "make bench   measure the speed beside the usual way of fitting"
	@echo "make league  which law foresees the expensive runs, on all public sets that can be had"
	@echo "make sweep   train the small sweep again (hours); RUNS='c1e12-d24' one run, OUT=sweep where the tables go"
	@echo "make clean   remove .venv and everything that was built"

# tools/make.py does the same where there is no make: it reads these recipes, whose commands need no shell (but for environment).
environment:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "error: no $(PYTHON) on the path. Python 3.11, 3.12, 3.13 or 3.14 is needed (PYTHON=/path/to/python3.12 picks one)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || { \
	  echo "error: $(PYTHON) is `"$(PYTHON)" -c 'import platform; print(platform.python_version())'`; the pins are for Python 3.11, 3.12, 3.13 and 3.14. PYTHON=/path/to/python3.12 picks another." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "error: $(PYTHON) lacks venv or ensurepip (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@"$(PYTHON)" tools/environment.py

book: environment
	@$(RUN) tools/build_book.py

pdf: environment
	@$(RUN) tools/build_book.py
	@$(RUN) tools/pdf.py

course: environment
	@.venv/bin/scaling course --out $(KIT) $(COURSE_ARGS)

check: environment
	@$(RUN) -m pytest -q -n $(WORKERS) --dist loadfile -p no:nbval -m "not slow and not browser" tests scaling $(PYTEST_ARGS)

test: environment
	@$(RUN) -m pytest -n $(WORKERS) --dist loadfile --nbval --nbval-current-env $(wildcard notebooks) tests scaling $(PYTEST_ARGS)

portable: environment
	@$(RUN) tools/portable.py --workers $(WORKERS) $(PORTABLE_ARGS)

coverage: environment
	@$(RUN) -m coverage run -m pytest -q tests scaling -m "not slow and not browser" $(PYTEST_ARGS)
	@$(RUN) -m coverage report --skip-covered --skip-empty

lint: environment
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/codespell .

bench: environment
	@$(RUN) benchmarks/bench.py $(BENCH_ARGS)

league: environment
	@$(RUN) benchmarks/league.py $(LEAGUE_ARGS)

sweep: environment
	@$(RUN) tools/environment.py --sweep
	@$(RUN) data/small_sweep/train.py --out $(OUT) $(SWEEP_ARGS) $(RUNS)

clean:
	@"$(PYTHON)" tools/clean.py
