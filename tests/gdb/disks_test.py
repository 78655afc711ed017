# SPDX-License-Identifier: MIT
"""`atl vbd` and `atl disk`, against what lab 9's judges ask for and a translation of their own, and against whom the queue then chooses."""

import re
import unittest

from sessions import debug, needs_lab, rows, told, value

DEVICE, SECTORS = 5, 1024


def runs(extents, request) -> list[tuple[int, int]]:
    """(real sector, how many) of each run, sector by sector."""
    found: list[list[int]] = []
    for sector in range(request.sector, request.sector + request.count()):
        at = sector
        for number, extent in enumerate(extents):
            if at < extent.count:
                break
            at -= extent.count
        if found and found[-1][2] == number:
            found[-1][1] += 1
        else:
            found.append([extent.first + at, 1, number])
    return [(first, count) for first, count, _ in found]


@needs_lab(9)
class Disks(unittest.TestCase):
    def setUp(self) -> None:
        self.given = told(9, "read-write")
        self.extents, self.batch = self.given["extents"], self.given["batches"][0][1]
        self.depth = int(re.search("depth=([0-9]+)", self.given["args"])[1])

    def test_devices_and_extents_are_those_that_domain_0_made(self) -> None:
        said = debug(9, "read-write", "break disk_done", "continue", "atl vbd 0", "atl vbd 1")
        reads = sum(r.op == 0 for r in self.batch)
        self.assertIn(f"VBD {DEVICE}: {SECTORS} sectors, {len(self.batch)} requests under way, {reads} reads, "
                      f"{len(self.batch) - reads} writes, 0 errors", said[2])
        listed = [row.split() for row in said[2].split(f"VBD {DEVICE}:")[1].splitlines()[2:2 + len(self.extents)]]
        virtual = 0
        for row, extent in zip(listed, self.extents, strict=True):
            self.assertEqual(row, [str(virtual), str(extent.count), "0", str(extent.first), "read,", "write"])
            virtual += extent.count
        self.assertRegex(said[2], rf"VBD 0: {SECTORS} sectors, .*\n.*\n +0 +{SECTORS} +0 +0  read, write, shared")
        self.assertIn("there is no domain 1", said[3])

    def test_requests_under_way_are_the_batch(self) -> None:
        said = debug(9, "read-write", "break disk_done", "continue", "atl vbd 0")
        got = rows(said[2], "JOBS")
        self.assertEqual(len(got), len(self.batch))
        for row, (number, r) in zip(got, enumerate(self.batch), strict=True):
            self.assertEqual(row[0], str(len(runs(self.extents, r))))
            self.assertTrue(row[1].startswith(f"id {number}: {('read', 'write')[r.op]}, VBD {DEVICE}, sector {r.sector}+{r.count()} "), row)

    def test_jobs_are_the_runs_of_the_requests(self) -> None:
        said = debug(9, "read-write", "break disk_done", "continue", "atl disk")
        want = sorted((("read", "write")[r.op], f"{first}+{count}") for r in self.batch for first, count in runs(self.extents, r))
        lines = [re.split(" {2,}", line) for line in said[2].splitlines() if line.startswith(("at the disk", "waits"))]
        self.assertEqual(sorted((line[2], line[3]) for line in lines), want)
        gone = sum(line[0] == "at the disk" for line in lines)
        self.assertEqual(gone, min(self.depth, len(want)))
        self.assertIn(f"disk 0: {SECTORS} sectors", said[2])
        self.assertIn(f"at work on {gone} of {self.depth} jobs; {len(want) - gone} wait", said[2])
        self.assertIn(f"room for {64 - len(self.batch)} more requests", said[2])

    def test_next_is_who_the_queue_then_chooses(self) -> None:
        job = "python j = gdb.parse_and_eval('$'); print('%d+%d' % (j['run']['first']['n'], j['run']['count']) if int(j) else 'none')"
        said = debug(9, "read-write", "break disk_done", "continue", "delete 2", "break disk_queue_next",
                     *[order for _ in range(12) for order in ("continue", "atl disk", "finish", job)])
        foretold = 0
        for i in range(12):
            listed, chosen = said[5 + 4 * i], said[7 + 4 * i].splitlines()[-1]
            found = re.search(r"Next: .*? ([0-9]+\+[0-9]+)", " ".join(listed.split()))
            self.assertEqual(found[1] if found else "none", chosen, listed)
            foretold += found is not None
        self.assertGreater(foretold, 2)

    def test_what_waits_behind_a_group_and_in_the_round(self) -> None:
        """The last job is made another group's, as behind a barrier; and the domain joins the round with no room left."""
        said = debug(9, "read-write", "break disk_done", "continue", "print (int)&((struct disk_job *)0)->waiting",
                     "set var $job = (struct disk_job *)((char *)disks.queues[0].waiting.prev - $)", "print $job->run.first.n",
                     "set var $job->group = 7", "atl disk",
                     "set var domains.slots[0].vbds.round.next = &vbd.round", "set var vbd.round.next = &domains.slots[0].vbds.round",
                     "set var vbd.free_io_count = 3", "atl disk")
        last = [line for line in said[6].splitlines() if line.startswith("waits")][-1]
        self.assertRegex(last, rf"^waits .* {value(said[4])}\+\d+ +7  no ")
        self.assertIn("the round: domain 0", said[10])
        self.assertIn("the round rests", said[10])

    def test_what_is_broken(self) -> None:
        device = f"domains.slots[0].vbds.devices[{DEVICE}]"
        said = debug(9, "read-write", "break disk_done", "continue",
                     f"set var {device}->table.count = 4000", f"set var {device}->domain = 0", "atl vbd 0",
                     "set var disks.queues[0].waiting.next->next = disks.queues[0].waiting.next", "atl disk",
                     f"set var {device} = 16", "atl vbd 0", "set var vbd.jobs[0].io = 16", "set var vbd.jobs[0].job.order = 16",
                     "set var vbd.jobs[0].job.ordered.next = 16", "atl disk", "set var vbd.ios[0].ring = 16", "atl vbd 0")
        self.assertIn("BROKEN: 4000 extents, of at most 16", said[4])
        self.assertIn("BROKEN: it is another domain's", said[4])
        self.assertIn("does not come back to its head", said[6])
        self.assertIn("Cannot access memory", said[8])
        for printed in said[6], said[8], said[12]:
            self.assertTrue(printed.splitlines()[-1].startswith("error: atl "), printed)
        self.assertNotIn("Traceback", said.whole)


@needs_lab(9)
class OtherStages(unittest.TestCase):
    def test_a_machine_without_disks(self) -> None:
        said = debug(2, "pending", "atl disk", "break do_block", "continue", "atl disk", "atl vbd 0")
        self.assertIn("not there yet", said[0])
        self.assertIn("the machine has no disks", said[3])
        self.assertIn("0 devices", said[4])
        self.assertEqual(value("= " + re.search("room for ([0-9]+)", said[3])[1]), 64)
