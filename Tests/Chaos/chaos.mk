# Faults against the server, and a verdict on all that happened: docs/testing.md.

.PHONY: test-chaos chaos deps-patroni

test-chaos: build $(VENV)/ready ## judge forged histories, and half a minute of faults against the server (NAME=X: only those that match)
	PSPD=.build/release/pspd PSPCTL=.build/release/pspctl $(VENV)/bin/pytest Tests/Chaos $(if $(NAME),-k $(NAME))

CHAOS := $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults=$(FAULTS)) $(if $(NODES),--nodes $(NODES)) $(if $(PATRONI),--patroni) $(if $(RATE),--rate $(RATE)) $(if $(KEEP),--keep $(KEEP)) $(if $(JSON),--json)

deps-patroni:
	@deploy/deps.sh patroni

chaos: build $(VENV)/ready $(if $(PATRONI),deps-patroni) ## the same for MINUTES=10 (SEED=N FAULTS=kill,stop,… NODES=3 PATRONI=1 RATE=30 KEEP=DIR JSON=1)
	PYTHONPATH=Tests/Chaos PSPD=.build/release/pspd PSPCTL=.build/release/pspctl $(VENV)/bin/python -m chaos --minutes $(or $(MINUTES),10) $(CHAOS)
