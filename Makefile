# make demo   transcribe the example recording
# make lab    open the notebooks in JupyterLab
# make book   run all notebooks and make a small website of them, in build/book
# make test   run everything that CI runs
# make bench  measure the speed beside other ways
#
# Each works on a bare clone and can be repeated. README.md has the same steps without make.
# To choose the Python (3.11 or newer): make demo PYTHON=/path/to/python3.12

FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(firstword $(foreach name, python3 python3.13 python3.12 python3.11, \
	$(shell $(name) -c '$(FITS)' 2>/dev/null && echo $(name)))), python3)
PORT ?= 8888
BROWSER := $(CHROMIUM) $(wildcard $(foreach folder, $(subst :, , $(PATH)), $(addprefix $(folder)/, \
	chromium chromium-browser google-chrome google-chrome-stable chrome)))

RUN := .venv/bin/python
RUN_COLAB := .venv-colab/bin/python
TORCH := $(shell grep '^torch==' constraints.txt)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# PyPI's torch for Linux carries gigabytes of CUDA. Without an NVIDIA GPU its maker's small build
# does the same; where that index is out of reach, the next command takes PyPI's.
define NEW_ENVIRONMENT
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
		"Python 3.11 or newer is needed, and $(PYTHON) is not that. Install one, or name it:" \
		"make $(or $(MAKECMDGOALS), demo) PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Installing into $(@D), once; this takes a minute or more ..."
	@$(PYTHON) -m venv $(@D)
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		$(@D)/bin/python -m pip install --quiet --no-deps $(TORCH) \
			--index-url https://download.pytorch.org/whl/cpu --timeout 10 --retries 1 2>/dev/null \
		|| echo "No small torch to be had; taking the large one (about 3 GB) from PyPI."; \
	fi
endef

.PHONY: demo test test-colab lab book bench
.DELETE_ON_ERROR:

demo: .venv/ready
	$(RUN) -m asr_workshop.demo

test: .venv/ready-for-tests
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(if $(strip $(BROWSER)),, @echo "No Chromium or Chrome here: leaving out the tests in a browser.")
	$(RUN) -m pytest $(if $(strip $(BROWSER)),, -m "not browser")
	$(MAKE) test-colab

# The package's own tests once more, with the versions that Google Colab has installed.
test-colab: .venv-colab/ready
	$(RUN_COLAB) -m pytest -m "not slow and not browser and not checkout"

lab: .venv/ready
	$(RUN) -m jupyterlab notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb \
		--port $(PORT) $(if $(NO_BROWSER)$(CI), --no-browser) \
		$(if $(filter 0, $(shell id -u)), --allow-root)

book: .venv/ready-for-tests
	$(RUN) notebooks/book.py

bench: .venv/ready-for-bench
	$(RUN) tests/benchmarks/speed.py

.venv/ready: pyproject.toml requirements.txt constraints.txt
	$(NEW_ENVIRONMENT)
	$(RUN) -m pip install --quiet -r requirements.txt -c constraints.txt
	@touch $@

.venv/ready-for-tests: .venv/ready
	$(RUN) -m pip install --quiet -e ".[test]" -c constraints.txt
	@touch $@

.venv/ready-for-bench: .venv/ready
	$(RUN) -m pip install --quiet -e ".[bench]" -c constraints.txt
	@touch $@

# torch is the exception, with the setuptools it asks for: Colab's build is for CUDA 12.8.
.venv-colab/ready: pyproject.toml constraints.txt tests/colab-versions.txt
	$(NEW_ENVIRONMENT)
	grep -vE '^(torch|setuptools)==' tests/colab-versions.txt > $(@D)/versions.txt
	$(RUN_COLAB) -m pip install --quiet -e ".[offline,test]" $(TORCH) -c $(@D)/versions.txt
	@touch $@
