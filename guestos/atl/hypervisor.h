/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor, by way of /dev/atelier (linux/atelier.h; public/control.h). Answers are 0 or a negative error number; what
 * every command would end with anyway (no device, no such domain) ends here.
 */
#ifndef ATL_HYPERVISOR_H
#define ATL_HYPERVISOR_H

#include "lib/types.h"
#include "public/control.h"
#include "public/paging.h"

/* The open device. Ends with a complaint where there is none. */
int hv_device(void);

/* One operation; its interface number is filled in. */
int hv_control(struct control_op *op);

/* Operation @number on @domain that reads nothing else; what it wrote is in *@op. */
int hv_ask(struct control_op *op, uint32_t number, uint32_t domain);

/* The first domain from @from on, dying ones too: false, there is none. */
bool hv_next(struct control_op *op, uint32_t from);

/* The living domain of that name. 0 or an error. */
int hv_named(struct control_op *op, const char *name);

/* The living domain that a person calls @word, by its name or its number. Ends with a complaint if there is none. */
uint32_t hv_find(const char *word);

/* Calls @see with the number of the domain called @word, as hv_find() finds it, or, for NULL, of each there is. */
void hv_each(const char *word, void (*see)(uint32_t domain));

/* Makes frames of a domain appear at @at, in a mapping of the device. */
int hv_map(uint32_t domain, void *at, const uint32_t *mfns, uint32_t count);

/* Copies @size bytes of a file, from @offset on, to frames of a domain, from byte @at of the first one on. -EIO: it ended. */
int hv_fill(uint32_t domain, const uint32_t *mfns, uint32_t at, int file, uint32_t offset, uint32_t size);

/* Executes requests in the name of a domain. */
int hv_mmu(uint32_t domain, const struct mmu_request *requests, uint32_t count);

/* Ends a domain and waits until nothing is left of it. */
int hv_destroy(uint32_t domain);

/* A while, between two tries of what goes in steps. */
void hv_rest(void);

/* How a domain of that SHUTDOWN_... ended: the rest of a sentence about it. */
const char *hv_end(uint32_t reason);

/* What an error number means to a person: "Device or resource busy". */
const char *hv_error(int err);

#endif
