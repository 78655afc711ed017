// SPDX-License-Identifier: MIT
/*
 * The two 8259 interrupt controllers. There is one processor and no device that needs more, so the local APIC stays as a firmware
 * leaves it: passing the 8259's line through. (Bochs needs no firmware for that; QEMU does, and always has one.)
 */
#include "console.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "sched.h"

#define MASTER		0x20		/* command port; the data port is the next one */
#define SLAVE		0xa0
#define CASCADE		2		/* the master's line with the slave on it */

#define ICW1_INIT	0x11		/* edges, two controllers, ICW4 follows */
#define ICW4_8086	0x01
#define OCW2_EOI	0x60		/* of the line in the low bits */
#define OCW3_READ_IRR	0x0a
#define OCW3_READ_ISR	0x0b

static struct {
	uint16_t mask;
	uint32_t nmi_seen;
	void (*handlers[IRQ_COUNT])(void);
} pic = { .mask = 0xffff };

static void write_mask(void)
{
	outb(MASTER + 1, pic.mask);
	outb(SLAVE + 1, pic.mask >> 8);
}

static void init_controller(uint16_t port, uint8_t vector, uint8_t wiring)
{
	outb(port, ICW1_INIT);
	outb(port + 1, vector);
	outb(port + 1, wiring);
	outb(port + 1, ICW4_8086);
	outb(port, OCW3_READ_IRR);	/* what the next reads of this port mean, for good */
}

void pic_init(void)
{
	init_controller(MASTER, IRQ_VECTOR, 1 << CASCADE);
	init_controller(SLAVE, IRQ_VECTOR + 8, CASCADE);
	pic.mask &= ~(1 << CASCADE);
	write_mask();
}

void pic_enable(unsigned int irq, void (*handler)(void))
{
	pic.handlers[irq] = handler;
	pic.mask &= ~(1 << irq);
	write_mask();
}

/*
 * A line that falls before the processor asks which it was is reported as the controller's last
 * one.
 */
static bool spurious(uint16_t port)
{
	uint8_t served;

	outb(port, OCW3_READ_ISR);
	served = inb(port);
	outb(port, OCW3_READ_IRR);
	return !(served & 0x80);
}

static void acknowledge(unsigned int irq)
{
	if (irq >= 8) {
		outb(SLAVE, OCW2_EOI | (irq - 8));
		irq = CASCADE;
	}
	outb(MASTER, OCW2_EOI | irq);
}

static void report_nmi(void)
{
	pic.nmi_seen = entry_nmi_count;
	console_printf("a non-maskable interrupt came: memory or bus error? (%u so far)\n", pic.nmi_seen);
}

void pic_handle(unsigned int irq)
{
	if (entry_nmi_count != pic.nmi_seen)
		report_nmi();
	if (irq % 8 == 7 && spurious(irq < 8 ? MASTER : SLAVE)) {
		if (irq >= 8)
			outb(MASTER, OCW2_EOI | CASCADE);
		return;
	}
	acknowledge(irq);
	sched_meter();
	if (pic.handlers[irq])
		pic.handlers[irq]();
}

bool machine_interrupt_due(void)
{
	return inb(MASTER) & ~pic.mask & 0xff;
}

void machine_idle(bool sleep)
{
	if (sleep)
		asm volatile("sti; hlt; cli" : : : "memory");
	else
		asm volatile("sti; nop; cli" : : : "memory");
}
