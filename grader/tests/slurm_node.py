# SPDX-License-Identifier: MIT
"""A Slurm cluster of one node, this machine, without services or privileges: controller and node run by hand, on free ports."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 120  # on a machine that is busy with other tests
CONFIGURATION = """
ClusterName=atelier
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
MinJobAge=600
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=100 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=60 State=UP
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def cluster(place: Path) -> Iterator[dict[str, str]]:
    """Starts it in a folder, and gives the environment in which Slurm's commands find it. Ends what it started, and only that."""
    for name in ("state", "spool"):
        (place / name).mkdir()
    (place / "cgroup.conf").write_text("CgroupAutomount=no\n")
    configuration = place / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(host=socket.gethostname().split(".")[0], user=getpass.getuser(), place=place,
                                                  controller=_free_port(), node=_free_port()))
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    started = []
    try:
        for program, words in (("slurmctld", ["-D", "-i"]), ("slurmd", ["-D"])):
            path = shutil.which(program, path="/usr/sbin:/usr/bin")
            if path is None:
                raise FileNotFoundError(f"{program} is not there: `tools/deps slurm` installs it")
            with (place / f"{program}.out").open("wb") as out:
                # They end with us, however we end.
                command = ["setpriv", "--pdeathsig", "TERM", path, *words, "-f", str(configuration)]
                started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                                stderr=subprocess.STDOUT, env=environment, start_new_session=True))
        _wait(place, environment, started)
        yield environment
    finally:
        subprocess.run(["scancel", "--state=RUNNING"], env=environment, capture_output=True, check=False)
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(place: Path, environment: dict[str, str], started: list[subprocess.Popen]) -> None:
    """Until the node is idle."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and all(process.poll() is None for process in started):
        told = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, check=False)
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "".join(path.read_text(errors="replace")[-2000:] for path in (*place.glob("*.log"), *place.glob("*.out")))
    raise RuntimeError(f"Slurm did not come up:\n{logs}")
