# SPDX-License-Identifier: MIT
# What grading platforms want for a lab: tools/platform.

PLATFORMS := gradescope autolab prairielearn classroom50 gitlab github
.PHONY: $(PLATFORMS)
gradescope:	## what Gradescope wants for LAB=3, under build/platforms/ (KEY=file: the course's key)
autolab:	## the same for Autolab
prairielearn:	## the same for PrairieLearn
classroom50:	## the same for Classroom 50
gitlab:		## the same for GitLab CI
github:		## the same for GitHub Actions
$(PLATFORMS): | deps-check
	@tools/platform $@ --lab "$(LAB)" $(if $(KEY),--key '$(KEY)')
