// SPDX-License-Identifier: MIT
#include "hypervisor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/atelier.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "atl.h"
#include "public/vcpu.h"

#define DEVICE		"/dev/atelier"
#define REST		1000	/* microseconds between two looks at a domain that goes slowly */

int hv_device(void)
{
	static int device = -1;

	if (device >= 0)
		return device;
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device >= 0)
		return device;
	if (errno == EACCES || errno == EPERM)
		fail("only root may control domains");
	if (errno == ENOENT)
		fail("there is no " DEVICE ": this is not domain 0 of Atelier");
	fail("%s: %s", DEVICE, strerror(errno));
}

int hv_control(struct control_op *op)
{
	op->interface = ATELIER_INTERFACE;
	return ioctl(hv_device(), ATELIER_CONTROL, op) ? -errno : 0;
}

int hv_ask(struct control_op *op, uint32_t number, uint32_t domain)
{
	*op = (struct control_op){ .op = number, .domain = domain };
	return hv_control(op);
}

bool hv_next(struct control_op *op, uint32_t from)
{
	return hv_ask(op, CONTROL_info, from) == 0;
}

int hv_named(struct control_op *op, const char *name)
{
	*op = (struct control_op){ .op = CONTROL_find };
	if (strlen(name) >= DOMAIN_NAME)
		return -ESRCH;
	strcpy(op->u.info.name, name);
	return hv_control(op);
}

/* A name comes before a number: a domain may be called "7". */
uint32_t hv_find(const char *word)
{
	struct control_op op;
	uint64_t number;

	if (hv_named(&op, word) == 0)
		return op.domain;
	if (parse_number(word, DOMID_SELF - 1, &number) && hv_next(&op, number) && op.domain == number)
		return number;
	fail("there is no domain %s: `atl list` shows those that there are", word);
}

void hv_each(const char *word, void (*see)(uint32_t domain))
{
	struct control_op op;

	if (word)
		see(hv_find(word));
	else
		for (uint32_t id = 0; hv_next(&op, id); id = op.domain + 1)
			see(op.domain);
}

int hv_map(uint32_t domain, void *at, const uint32_t *mfns, uint32_t count)
{
	while (count > 0) {
		struct atelier_map map = { domain, (uintptr_t)at, (uintptr_t)mfns, count, 0 };
		int err = ioctl(hv_device(), ATELIER_MAP, &map) ? -errno : 0;

		if (err && err != -EINTR)
			return err;
		at = (char *)at + map.done * PAGE_SIZE;
		mfns += map.done;
		count -= map.done;
	}
	return 0;
}

int hv_fill(uint32_t domain, const uint32_t *mfns, uint32_t at, int file, uint32_t offset, uint32_t size)
{
	struct atelier_fill fill = { domain, (uintptr_t)mfns, at, file, offset, size, 0 };

	while (fill.size > 0) {
		int err = ioctl(hv_device(), ATELIER_FILL, &fill) ? -errno : 0;

		if (err && err != -EINTR)
			return err;
		if (!err && fill.done < fill.size)
			return -EIO;
		fill.at += fill.done;
		fill.offset += fill.done;
		fill.size -= fill.done;
	}
	return 0;
}

int hv_mmu(uint32_t domain, const struct mmu_request *requests, uint32_t count)
{
	while (count > 0) {
		struct atelier_mmu mmu = { domain, (uintptr_t)requests, count, 0 };
		int err = ioctl(hv_device(), ATELIER_MMU, &mmu) ? -errno : 0;

		if (err && err != -EINTR)
			return err;
		requests += mmu.done;
		count -= mmu.done;
	}
	return 0;
}

int hv_destroy(uint32_t domain)
{
	struct control_op op;
	int err = hv_ask(&op, CONTROL_destroy, domain);

	while (err == -EAGAIN) {
		hv_rest();
		err = hv_ask(&op, CONTROL_destroy, domain);
		if (err == -ESRCH)
			return 0;	/* the rest of it went meanwhile */
	}
	return err;
}

void hv_rest(void)
{
	usleep(REST);
}

const char *hv_end(uint32_t reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return "it powered off";
	case SHUTDOWN_reboot:
		return "it asked for a restart";
	case SHUTDOWN_crash:
		return "its kernel gave up";
	case SHUTDOWN_killed:
		return "the hypervisor ended it (`atl dmesg` says why)";
	case SHUTDOWN_destroyed:
		return "it was destroyed";
	}
	return "for a reason that this atl does not know";
}

const char *hv_error(int err)
{
	switch (-err) {
	case ENOSYS:
		return "the hypervisor does not offer that";
	case ESRCH:
		return "there is no such domain any more";
	case ENOMEM:
		return "there is not enough free memory (`atl info` shows what there is)";
	case EOPNOTSUPP:
		return "its files lie where Linux keeps no pages of them: copy them to another file system, /tmp for instance";
	}
	return strerror(-err);
}
