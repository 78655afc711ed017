# SPDX-License-Identifier: MIT
#
# The stages of the course: tools/cut.

.PHONY: stage branches
stage: | deps-check	## one stage as a tree under build/stages/: LAB=3, as a student begins it; SOLVED=1: as it ends
	@tools/cut stage --lab "$(LAB)" $(if $(SOLVED),--solved)

branches: | deps-check	## cuts the students' repository into DEST, the staff's into DEST-solutions
	@tools/cut branches "$(DEST)"
