# SPDX-License-Identifier: MIT
"""What GDB is given to read: `source tools/gdb/init.py`. It loads the files of this folder, which make the command `atl`."""

import importlib
import importlib.util
import sys
from pathlib import Path

sys.dont_write_bytecode = True
FOLDER = Path(__file__).resolve().parent

# The package is not called after its folder: GDB's own module is called gdb.
spec = importlib.util.spec_from_loader("atl", loader=None, is_package=True)
package = importlib.util.module_from_spec(spec)
package.__path__ = [str(FOLDER)]
sys.modules["atl"] = package
for file in sorted(FOLDER.glob("*.py")):
    if file.stem != "init":
        importlib.import_module(f"atl.{file.stem}")
