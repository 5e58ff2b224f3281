# An operator's guide, followed to the letter: docs/testing.md.

.PHONY: test-rehearsal

test-rehearsal: build $(VENV)/ready ## do what docs/cluster.md says, block by block, on machines that are namespaces
	PSPD=.build/release/pspd PSPCTL=.build/release/pspctl $(VENV)/bin/pytest Tests/Rehearsal
