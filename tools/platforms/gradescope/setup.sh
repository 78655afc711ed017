#!/bin/bash
# SPDX-License-Identifier: MIT
# Gradescope runs this once, when it makes the image: packages, and all that does not depend on a submission.
set -euo pipefail
cd /autograder/source
mkdir -p atelier
tar -xzf atelier.tar.gz -C atelier
cd atelier
tools/deps build
make grade LAB=@LAB@	# the starter code: that installs the other packages, and builds
