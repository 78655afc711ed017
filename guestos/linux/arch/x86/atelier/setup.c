// SPDX-License-Identifier: GPL-2.0
/*
 * The start of day: from the hypervisor's start info to start_kernel(), in place of head_32.S.
 */
#include <linux/elfnote.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/memblock.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <asm/atelier.h>
#include <asm/cpu.h>
#include <asm/e820/api.h>
#include <asm/i8259.h>
#include <asm/processor.h>
#include <asm/setup.h>
#include <asm/x86_init.h>
#include <atelier/memory.h>
#include <atelier/vcpu.h>
#include "internal.h"

extern char atelier_start[];

/* What the domain builder looks for in the image. */
ELFNOTE32(IMAGE_NOTE_NAME, IMAGE_NOTE_TYPE, ((struct image_note){
	.interface = ATELIER_INTERFACE,
	.virt_base = PAGE_OFFSET,
	.entry = (u32)atelier_start,
	.shared = (u32)&atelier_shared,
}));

struct start_info *atelier_start_info;

static void __init check_interface(const struct start_info *si)
{
	static const char message[] __initconst = "Linux: this hypervisor has another interface than this kernel's\n";

	if (si->magic == START_MAGIC && si->interface == ATELIER_INTERFACE)
		return;
	atelier_print(message, sizeof(message) - 1);
	atelier_end(SHUTDOWN_crash, 0);
}

/* ---- what Linux asks a PC for ---- */

/* What Linux notes of each page is to take no more than a quarter of what there is at the start. */
#define GROWTH_AT_MOST	(PAGE_SIZE / sizeof(struct page) / 4)

u32 __init atelier_frames_at_most(void)
{
	static u32 frames __initdata;
	struct memory_op op = { .op = MEMORY_query };

	if (frames)
		return frames;
	frames = atelier_start_info->frames;
	if (!hypercall1(HYPERCALL_memory_op, (unsigned long)&op))
		frames = clamp_t(u32, op.list, frames, min_t(u64, (u64)frames * GROWTH_AT_MOST, U32_MAX >> PAGE_SHIFT));
	return frames;
}

/* In two pieces, as a PC's is: a map of one entry is none to Linux, when mem= cuts it. */
static char *__init memory_setup(void)
{
	e820__range_add(0, SZ_1M, E820_TYPE_RAM);
	e820__range_add(SZ_1M, ((u64)atelier_frames_at_most() << PAGE_SHIFT) - SZ_1M, E820_TYPE_RAM);
	return "Atelier";
}

static void __init reserve_frames(u32 first, u32 end)
{
	memblock_reserve((phys_addr_t)first << PAGE_SHIFT, (phys_addr_t)(end - first) << PAGE_SHIFT);
}

/* The builder's: initial RAM disk, P2M, start info, page tables. And pages that have no frames yet: the balloon's. */
static void __init arch_setup(void)
{
	struct start_info *si = atelier_start_info;

	if (si->flags & START_SEEDED)
		add_bootloader_randomness(si->seed, sizeof(si->seed));
	memzero_explicit(si->seed, sizeof(si->seed));
	reserve_frames(si->first_used, si->first_free);
	reserve_frames(si->frames, atelier_frames_at_most());
	atelier_start_console();
}

static void __init set_legacy_features(void)
{
	x86_platform.legacy.rtc = 0;
	x86_platform.legacy.reserve_bios_regions = 0;
	x86_platform.legacy.no_vga = 1;
	x86_platform.legacy.i8042 = X86_LEGACY_I8042_PLATFORM_ABSENT;
	x86_platform.legacy.devices.pnpbios = 0;
}

static void __init init_platform(void)
{
	x86_init.resources.memory_setup = memory_setup;
	x86_init.resources.probe_roms = x86_init_noop;
	x86_init.resources.dmi_setup = x86_init_noop;
	x86_init.mpparse.find_smp_config = x86_init_noop;
	x86_init.mpparse.get_smp_config = x86_init_uint_noop;
	x86_init.irqs.pre_vector_init = x86_init_noop;
	x86_init.irqs.intr_init = x86_init_noop;
	x86_init.irqs.intr_mode_select = x86_init_noop;
	x86_init.irqs.intr_mode_init = x86_init_noop;
	x86_init.oem.arch_setup = arch_setup;
	x86_platform.realmode_reserve = x86_init_noop;
	x86_platform.realmode_init = x86_init_noop;
	x86_platform.set_legacy_features = set_legacy_features;
	legacy_pic = &null_legacy_pic;
}

static void __init init_boot_params(const struct start_info *si)
{
	boot_params.hdr.version = 0x20c;	/* a boot loader of today, so that nothing is made up */
	boot_params.hdr.type_of_loader = 0xff;
	if (si->initrd_size) {
		boot_params.hdr.ramdisk_image = __pa(si->initrd);
		boot_params.hdr.ramdisk_size = si->initrd_size;
	}
	strscpy(boot_command_line, si->cmdline, COMMAND_LINE_SIZE);
}

__visible void __init atelier_start_kernel(struct start_info *si)
{
	check_interface(si);
	atelier_start_info = si;
	atelier_init_console();
	atelier_init_tables();
	atelier_init_segments();
	atelier_init_traps();
	atelier_init_memory();
	atelier_init_time();
	atelier_init_reboot();
	init_platform();
	init_boot_params(si);
	i386_start_kernel();
}

/* No driver finds an I/O port to probe. */
static int __init take_ports(void)
{
	static struct resource ports = {
		.name = "none",
		.start = 0,
		.end = IO_SPACE_LIMIT,
		.flags = IORESOURCE_IO | IORESOURCE_BUSY,
	};

	return request_resource(&ioport_resource, &ports);
}
arch_initcall(take_ports);
