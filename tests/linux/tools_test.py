#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests the tools that make Linux and its file systems, without a kernel: tools/linux-tree on a tree of
three files, tools/port-size on small ports, tools/initramfs on small images read back by cpio, tools/disk-image
without Debian's packages, and what it made of them, if it did."""

import contextlib
import dataclasses
import fcntl
import importlib.machinery
import importlib.util
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))  # where they have a module in common


def load(name: str) -> ModuleType:
    """A program of tools/ as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(ROOT / "tools" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


linux_tree = load("linux-tree")
port_size = load("port-size")
initramfs = load("initramfs")
disk_image = load("disk-image")

ENTRY = "".join(f"line {i}\n" for i in range(20))
PATCH = """\
diff --git a/arch/x86/entry.S b/arch/x86/entry.S
--- a/arch/x86/entry.S
+++ b/arch/x86/entry.S
@@ -9,5 +9,5 @@
 line 8
 line 9
-line 10
+line ten
 line 11
 line 12
"""


class Port(unittest.TestCase):
    """The port is laid over a source so that only what differs is written, and can be taken off again."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        work = root / "build/linux"
        places = {
            "ROOT": root, "PORT": root / "guestos/linux", "PUBLIC": root / "src/public", "WORK": work,
            "SOURCE": work / "source", "PRISTINE": work / "pristine", "ADDED": work / "added-files",
        }  # fmt: skip
        for name, place in places.items():
            self.addCleanup(setattr, linux_tree, name, getattr(linux_tree, name))
            setattr(linux_tree, name, place)
        self.source, self.ours, self.stamp = places["SOURCE"], places["PORT"], work / "ported"
        self.write(self.source / "arch/x86/entry.S", ENTRY)
        self.write(self.source / "arch/x86/Makefile", "obj-y := entry.o\n")
        self.write(root / "src/public/trap.h", "trap\n")
        self.write(self.ours / "arch/x86/atelier/mmu.c", "mmu\n")
        self.write(self.ours / "patches/01-entry.patch", PATCH)
        self.port()

    def write(self, place: Path, text: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def port(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            linux_tree.port()

    def port_and_list_written(self) -> set[str]:
        """Ports again; the files that were written to, or went."""
        files = [path for path in self.source.rglob("*") if path.is_file()]
        for path in [*files, self.stamp]:
            os.utime(path, (1, 1))
        self.port()
        return {path.name for path in [*files, self.stamp] if not path.exists() or path.stat().st_mtime != 1}

    def read(self, name: str) -> str:
        return (self.source / name).read_text()

    def test_new_files_public_headers_and_patches_are_laid_over_the_source(self) -> None:
        self.assertEqual(self.read("arch/x86/atelier/mmu.c"), "mmu\n")
        self.assertEqual(self.read("include/atelier/trap.h"), "trap\n")
        self.assertEqual(self.read("arch/x86/entry.S"), ENTRY.replace("line 10\n", "line ten\n"))

    def test_nothing_is_written_when_nothing_changed(self) -> None:
        self.assertEqual(self.port_and_list_written(), set())

    def test_a_changed_file_alone_is_written(self) -> None:
        self.write(self.ours / "arch/x86/atelier/mmu.c", "mmu 2\n")
        self.assertEqual(self.port_and_list_written(), {"mmu.c", "ported"})

    def test_a_changed_patch_replaces_what_the_old_one_did(self) -> None:
        self.write(self.ours / "patches/01-entry.patch", PATCH.replace("line ten", "LINE 10"))
        self.assertEqual(self.port_and_list_written(), {"entry.S", "ported"})
        self.assertEqual(self.read("arch/x86/entry.S"), ENTRY.replace("line 10\n", "LINE 10\n"))

    def test_a_removed_patch_gives_back_what_debian_had(self) -> None:
        (self.ours / "patches/01-entry.patch").unlink()
        self.assertEqual(self.port_and_list_written(), {"entry.S", "ported"})
        self.assertEqual(self.read("arch/x86/entry.S"), ENTRY)

    def test_a_removed_new_file_goes(self) -> None:
        (self.ours / "arch/x86/atelier/mmu.c").unlink()
        self.assertEqual(self.port_and_list_written(), {"mmu.c", "ported"})

    def test_two_patches_to_one_file_are_applied_in_the_order_of_their_names(self) -> None:
        second = PATCH.replace("-line 10", "-line ten").replace("+line ten", "+line X")
        self.write(self.ours / "patches/02-again.patch", second)
        self.port()
        self.assertIn("line X\n", self.read("arch/x86/entry.S"))

    def test_a_patch_that_does_not_apply_is_named_and_changes_nothing(self) -> None:
        self.write(self.ours / "patches/02-bad.patch", PATCH.replace("line 9", "line nine"). replace("line 8", "line eight"))
        before = self.read("arch/x86/entry.S")
        with self.assertRaisesRegex(linux_tree.Failure, "02-bad.patch does not apply to arch/x86/entry.S"):
            self.port()
        self.assertEqual(self.read("arch/x86/entry.S"), before)

    def test_a_new_file_under_a_name_that_linux_has_is_refused(self) -> None:
        self.write(self.ours / "arch/x86/Makefile", "obj-y :=\n")
        with self.assertRaisesRegex(linux_tree.Failure, "arch/x86/Makefile: Linux has this file"):
            self.port()
        self.assertEqual(self.read("arch/x86/Makefile"), "obj-y := entry.o\n")


class Size(unittest.TestCase):
    """What counts as a line of the port."""

    def test_blank_lines_and_comments_do_not_count(self) -> None:
        text = "/* SPDX */\n\t\n/*\n * about\n\n */\n\nint a;\t/* kept */\n// no\nint b;\n"
        self.assertEqual(port_size.lines_of_code("a.c", text), 2)
        self.assertEqual(port_size.lines_of_code("Kconfig", "# SPDX\n\nconfig ATELIER\n\tbool\n"), 2)

    def test_a_patch_counts_lines_added_or_changed_once(self) -> None:
        self.assertEqual(port_size.lines_of_patch(PATCH), 1)  # one line became another
        self.assertEqual(port_size.lines_of_patch(PATCH.replace("+line ten\n", "")), 1)  # one line went
        self.assertEqual(port_size.lines_of_patch(PATCH.replace("+line ten", "+line ten\n+and\n+\n+/* why */")), 2)

    def test_every_new_file_is_in_one_area(self) -> None:
        areas = {
            "arch/x86/atelier/entry.S": "entry", "arch/x86/atelier/mmu.c": "core", "arch/x86/atelier/console.c": "console",
            "drivers/net/atelier.c": "network driver", "drivers/block/atelier.c": "block driver",
            "drivers/atelier/balloon.c": "other drivers", "include/linux/atelier.h": "core",
        }  # fmt: skip
        for name, area in areas.items():
            self.assertEqual(port_size.area(name), area, name)


class Image(unittest.TestCase):
    """The archive holds what it was given, as cpio understands it."""

    def unpack(self, image: dict) -> Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        subprocess.run(
            ["cpio", "-idm", "--quiet", "-D", folder.name], input=initramfs.cpio(image), check=True, capture_output=True
        )
        return Path(folder.name)

    def test_files_links_and_modes_come_back(self) -> None:
        place = self.unpack({
            "bin": initramfs.directory(), "bin/a": initramfs.regular(b"text", 0o755), "bin/b": initramfs.symlink("a"),
            "bin/c": initramfs.Entry(stat.S_IFREG | 0o755, link="bin/a"), "odd": initramfs.regular(b"12345"),
        })  # fmt: skip
        self.assertEqual((place / "bin/a").read_bytes(), b"text")
        self.assertEqual(stat.S_IMODE((place / "bin/a").stat().st_mode), 0o755)
        self.assertEqual(os.readlink(place / "bin/b"), "a")
        self.assertTrue((place / "bin/c").samefile(place / "bin/a"))
        self.assertEqual((place / "odd").read_bytes(), b"12345")

    def test_a_hard_link_whose_file_is_left_out_is_refused(self) -> None:
        with self.assertRaisesRegex(initramfs.Failure, "/b is a hard link to /a"):
            initramfs.cpio({"b": initramfs.Entry(stat.S_IFREG | 0o755, link="a")})

    def test_what_nobody_reads_is_dropped_with_the_folders_it_leaves_empty(self) -> None:
        base = {
            "bin": initramfs.symlink("usr/bin"), "usr": initramfs.directory(), "usr/bin": initramfs.directory(),
            "usr/bin/perl": initramfs.regular(b""), "usr/bin/ls": initramfs.regular(b""), "tmp": initramfs.directory(),
            "usr/share": initramfs.directory(), "usr/share/perl5": initramfs.directory(),
            "usr/share/perl5/x.pm": initramfs.regular(b""), "var/lib/dpkg/info": initramfs.directory(),
            "var/lib/dpkg/info/perl-base.list": initramfs.regular(b"/.\n/bin\n/bin/perl\n"),
        }  # fmt: skip
        self.assertEqual(set(initramfs.drop(base)), {"bin", "usr", "usr/bin", "usr/bin/ls", "tmp"})

    def test_our_files_go_where_they_are_told_to_through_debians_links(self) -> None:
        image = initramfs.add_common({"bin": initramfs.symlink("usr/bin")}, {"/bin/atl": Path(__file__), "/opt/x/y": Path(__file__)})
        self.assertIn("usr/bin/atl", image)
        self.assertTrue(stat.S_ISDIR(image["opt/x"].mode))
        self.assertNotIn("bin/atl", image)

    def test_add_wants_a_file_and_a_place(self) -> None:
        for bad in ("file", f"{__file__}=relative", "/no/such/file=/x"):
            with self.assertRaises(initramfs.Failure, msg=bad):
                initramfs.parse_added([bad])


class Disk(unittest.TestCase):
    """The disk as it was made, and the copy that domains write to."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        places = {"PRISTINE": "debian.img", "DISK": "disk.img", "SMALL": "small.ext4", "WORK": "."}
        replaced = {name: self.work / place for name, place in places.items()} | {"fill": self.fill, "say": self.said}
        for name, thing in replaced.items():
            self.addCleanup(setattr, disk_image, name, getattr(disk_image, name))
            setattr(disk_image, name, thing)
        self.filled, self.lines = [], []
        disk_image.build()
        self.assertEqual(self.take_filled(), ["small.new", "debian.new"])

    def fill(self, image: Path, system: object, files: Path) -> None:
        self.filled.append(image.name)

    def take_filled(self) -> list[str]:
        """What was installed since this was asked last."""
        filled, self.filled = self.filled, []
        return filled

    def said(self, what: str) -> None:
        self.lines.append(what)

    def change_ingredients(self, name: str = "DEBIAN") -> None:
        system = getattr(disk_image, name)
        self.addCleanup(setattr, disk_image, name, system)
        setattr(disk_image, name, dataclasses.replace(system, packages=(*system.packages, "hello")))

    def write(self) -> None:
        """What a domain does."""
        with (self.work / "disk.img").open("r+b") as disk:
            disk.write(b"data")

    def data(self) -> bytes:
        with (self.work / "disk.img").open("rb") as disk:
            return disk.read(4)

    def test_the_partition_has_its_name_and_fits(self) -> None:
        listed = subprocess.run(["/sbin/sfdisk", "-d", self.work / "disk.img"], check=True, capture_output=True, text=True).stdout
        self.assertRegex(listed, r"label: gpt\n")
        self.assertRegex(listed, r'disk.img1 : start= *2048, size= *2097152, type=0FC63DAF-[^\n]*, name="debian"\n$')
        self.assertEqual((self.work / "disk.img").stat().st_size % (16 * 63 * 512), 0)

    def test_nothing_is_installed_again(self) -> None:
        self.write()
        disk_image.build()
        self.assertEqual((self.take_filled(), self.data()), ([], b"data"))

    def test_each_is_made_when_it_is_not_there_or_of_other_ingredients(self) -> None:
        (self.work / "small.ext4").unlink()
        disk_image.build()
        self.assertEqual(self.take_filled(), ["small.new"])
        self.change_ingredients("SMALL_DEBIAN")
        disk_image.build()
        self.assertEqual(self.take_filled(), ["small.new"])
        self.change_ingredients("DEBIAN")
        disk_image.build()
        self.assertEqual(self.take_filled(), ["debian.new"])

    def test_the_small_one_is_a_file_system_and_no_disk(self) -> None:
        self.assertEqual((self.work / "small.ext4").stat().st_size, disk_image.SMALL_DEBIAN.sectors * 512)
        self.assertEqual((self.work / "small.ext4").read_bytes()[:512], bytes(512))

    def test_new_ingredients_replace_a_disk_that_nobody_has_used(self) -> None:
        before = (self.work / "disk.img").stat().st_ino
        self.change_ingredients()
        disk_image.build()
        self.assertEqual(self.take_filled(), ["debian.new"])
        self.assertNotEqual((self.work / "disk.img").stat().st_ino, before)

    def test_a_disk_with_data_stays_and_a_line_says_so(self) -> None:
        self.write()
        self.change_ingredients()
        disk_image.build()
        self.assertEqual((self.take_filled(), self.data()), (["debian.new"], b"data"))
        self.assertIn("stays as it is", self.lines[-1])

    def test_a_disk_that_is_about_to_be_used_stays(self) -> None:
        self.change_ingredients()
        before = (self.work / "disk.img").stat().st_ino
        with (self.work / "disk.img").open("rb") as disk:
            fcntl.flock(disk, fcntl.LOCK_EX)
            disk_image.build()
        self.assertEqual((self.work / "disk.img").stat().st_ino, before)

    def test_a_disk_that_was_removed_is_copied_again(self) -> None:
        (self.work / "disk.img").unlink()
        disk_image.build()
        self.assertEqual(self.take_filled(), [])
        self.assertEqual((self.work / "disk.img").stat().st_mode & 0o777, 0o644)

    def test_our_files_are_roots_whatever_the_users_umask(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(disk_image.our_files())) as archive:
            modes = {member.name: member.mode for member in archive if (member.uid, member.gid) == (0, 0)}
            self.assertEqual(len(modes), len(archive.getmembers()))
        self.assertEqual(modes["etc/inittab"], 0o644)
        self.assertEqual(modes["usr/local/sbin/domain-boot"], 0o755)

    def test_our_files_for_packages_that_are_not_there_are_left_out(self) -> None:
        self.assertIn("etc/ssh", self.names(()))
        names = self.names(disk_image.SMALL_DEBIAN.not_ours)
        self.assertFalse([name for name in names if "ssh" in name or "postgresql" in name or "apt" in name])
        self.assertIn("etc/inittab", names)

    def names(self, without: tuple[str, ...]) -> list[str]:
        with tarfile.open(fileobj=io.BytesIO(disk_image.our_files(without))) as archive:
            return archive.getnames()


@unittest.skipUnless(disk_image.PRISTINE.exists(), "make disk")
class Debian(unittest.TestCase):
    """What is in the file system that `make disk` made."""

    PLACE = f"{disk_image.PRISTINE}?offset={disk_image.ROOT_FIRST * disk_image.SECTOR}"

    def ask(self, *words: str, place: str = PLACE) -> str:
        """The answer of debugfs."""
        return subprocess.run(
            ["/sbin/debugfs", "-R", " ".join(words), place], check=True, capture_output=True, text=True
        ).stdout  # fmt: skip

    def test_they_are_whole(self) -> None:
        for place in (self.PLACE, disk_image.SMALL):
            self.assertEqual(subprocess.run(["/sbin/e2fsck", "-fn", place], check=False, capture_output=True).returncode, 0)

    def test_the_small_one_has_what_is_its_own_and_nothing_else(self) -> None:
        small = str(disk_image.SMALL)
        listed = re.findall(r"^Package: (.*)$", self.ask("cat", "/var/lib/dpkg/status", place=small), re.MULTILINE)
        self.assertLess(set(disk_image.SMALL_DEBIAN.packages), set(listed))
        for name in ("apt", "openssh-client", "perl", "postgresql-15", "python3-minimal"):
            self.assertNotIn(name, listed)
        listed = "".join(self.ask("ls", place, place=small) for place in ("/etc", "/etc/apt", "/etc/network"))
        self.assertNotRegex(listed, r"sources|interfaces|postgresql|ssh\b")

    def test_no_time_in_them_is_that_of_their_making(self) -> None:
        for place in (self.PLACE, str(disk_image.SMALL)):
            for inode in ("/", "/etc/passwd", "/etc/shadow", "/usr/bin/dpkg", "<8>", "/lost+found"):
                times = re.findall(r"time: 0x([0-9a-f]{8})", self.ask("stat", inode, place=place))
                self.assertEqual(len(times), 4)
                self.assertLessEqual(max(int(time, 16) for time in times), disk_image.EPOCH, (place, inode))

    def test_it_takes_350_megabytes_at_most(self) -> None:
        said = dict(line.split(":", 1) for line in self.ask("stats").splitlines() if line.count(":") == 1)
        blocks, free = int(said["Block count"]), int(said["Free blocks"])
        self.assertLess((blocks - free) * 4096, 350 << 20)

    def test_owners_are_those_of_debian(self) -> None:
        self.assertRegex(self.ask("stat", "/etc/passwd"), r"User: +0 +Group: +0 ")
        self.assertNotRegex(self.ask("stat", "/var/lib/postgresql/15/main"), r"User: +0 ")

    def test_root_has_no_password(self) -> None:
        self.assertRegex(self.ask("cat", "/etc/shadow"), r"(?m)^root::")

    def test_no_key_and_no_name_is_shared(self) -> None:
        for place in ("/etc/ssh", "/etc"):
            self.assertNotRegex(self.ask("ls", place), r"ssh_host_|hostname|machine-id|resolv.conf")

    def test_nothing_of_the_builder_is_left(self) -> None:
        self.assertNotIn("http", self.ask("cat", "/etc/apt/sources.list"))  # not the archive that it was made from
        self.assertNotIn("Proxy", self.ask("cat", "/etc/apt/apt.conf.d/99mmdebstrap"))
        self.assertNotIn("mmdebstrap", self.ask("ls", "/tmp") + self.ask("ls", "/etc/apt/sources.list.d"))


if __name__ == "__main__":
    unittest.main()
