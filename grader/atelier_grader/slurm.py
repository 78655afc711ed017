# SPDX-License-Identifier: MIT
"""A class on a Slurm cluster: a job array, each task a shard of the submissions.

The folders of submissions and of results, and this tree, must be where all nodes see them under the same names. A task runs
grade-class itself with --shard, so the results are those of any other run; what a lost node left undone is done by the next one.
"""

import shlex
import subprocess
import sys
from pathlib import Path

from . import classrun
from .classrun import ClassError, Shard

SCRIPT = """#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --output={logs}/%a.log
#SBATCH --open-mode=truncate
#SBATCH --cpus-per-task={cpus}
exec {command} --shard "$SLURM_ARRAY_TASK_ID/{tasks}"
"""


def run(name: str, command: list[str], out: Path, tasks: int, jobs: int, options: list[str]) -> None:
    """Submits the array and waits for its end. ClassError if it was refused, or a shard did not come to its end."""
    logs = out.resolve() / "slurm"
    logs.mkdir(parents=True, exist_ok=True)
    script = logs / "array.sh"
    classrun.write_whole(script, SCRIPT.format(name=name, tasks=tasks, cpus=jobs, logs=logs, command=shlex.join(command)))
    journals = [out / Shard(number, tasks).journal for number in range(1, tasks + 1)]
    before = [path.stat().st_size if path.exists() else 0 for path in journals]
    try:
        done = subprocess.run(["sbatch", "--wait", "--parsable", *options, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
    except KeyboardInterrupt:
        print(f"the job goes on without us: `scancel --name={name}` ends it", file=sys.stderr)
        raise
    except FileNotFoundError:
        raise ClassError("sbatch is not there: `tools/deps slurm` installs Debian's Slurm") from None
    said = (done.stderr.strip().splitlines() or [""])[0]
    if not done.stdout.strip():
        raise ClassError(f"sbatch: {said or 'no reason given'}")
    print(f"Slurm job {done.stdout.strip()}: {tasks} tasks", file=sys.stderr)
    lost = [number for number, (path, size) in enumerate(zip(journals, before), 1)
            if not classrun.ended(path) or path.stat().st_size == size]
    if lost:
        raise ClassError(f"{len(lost)} of {tasks} tasks did not come to their end, the first is {lost[0]}: {logs}/{lost[0]}.log says why; "
                         "run the same command again, what is done stays done")
