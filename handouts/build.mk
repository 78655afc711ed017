# SPDX-License-Identifier: MIT
# The handouts as a web site and a PDF: `make handouts`.

HANDOUT_FILES := $(wildcard handouts/*.md handouts/*.css handouts/*.js handouts/pictures/*)

.PHONY: handouts
handouts: build/handouts/atelier.pdf	## the handouts: a web site, build/handouts/index.html, and a PDF
build/handouts/atelier.pdf: $(HANDOUT_FILES) tools/handouts | deps-handouts
	$(call say,TEXTS,build/handouts/index.html $@) tools/handouts $(@D)
CHECK_NEEDS += build/handouts/atelier.pdf
CHECK_QUICK_NEEDS += build/handouts/atelier.pdf
