// SPDX-License-Identifier: MIT
/* Every domain lives and dies in the page tables that it was built with. */
#include "paging.h"
#include "domain.h"
#include "machine.h"

void paging_adopt(struct domain *d, mfn_t directory)
{
	machine_fill_directory(machine_map_frame(directory, WINDOW_DIRECTORY), d->id);
	d->paging.base = directory;
}

void paging_adopt_use(mfn_t mfn, enum frame_type type)
{
	/* Uses are not counted. */
}

void paging_switch_to(struct domain *d)
{
	if (!mfn_equal(d->paging.base, machine_loaded_base()))
		machine_load_base(d->paging.base);
}

/* Its tables must not be in use when their frames go. */
bool paging_destroy(struct domain *d)
{
	if (mfn_equal(d->paging.base, machine_loaded_base()))
		machine_load_base(MFN_NONE);
	d->paging.base = MFN_NONE;
	return true;
}
