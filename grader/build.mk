# SPDX-License-Identifier: MIT
# `make grade`. The commands themselves are grader/grade and grader/grade-class.

.PHONY: grade
grade: $(if $(filter 1 2 3,$(LAB))$(TEST),,$(LINUX_NEEDS)) | deps-build deps-run deps-bochs deps-check deps-grade	## grades this tree on LAB=3 (all labs, if left out); TEST=name SEED=1
	@grader/grade $(if $(LAB),--lab $(LAB)) $(if $(TEST),--test $(TEST)) $(if $(SEED),--seed $(SEED)) .
