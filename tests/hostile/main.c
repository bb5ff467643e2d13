/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* main.c - from the first instruction in C to the end. */
#include "hostile.h"

#define TOGETHER_MS 60000

volatile bool over;
static volatile uint32_t arrived;

static void attack(struct attack *a)
{
	if (argument_is("mode", "mmio"))
		attack_mmio(a);
	else if (argument_is("mode", "virtio"))
		attack_virtio(a);
	else if (argument_is("mode", "ghes"))
		attack_ghes(a);
	else if (argument_is("mode", "irq"))
		attack_irq(a);
	else if (argument_is("mode", "psci"))
		attack_psci(a);
	else if (argument_is("mode", "exec"))
		attack_exec(a);
	else if (argument_is("mode", "poison"))
		attack_poison(a);
	else if (!a->cpu)
		say("hostile: mode= is none of mmio, virtio, ghes, irq, psci, exec, poison\n");
}

static void report(const struct attack *a)
{
	struct counts all = { 0 };

	for (unsigned int i = 0; i < a->cpus; i++) {
		all.data += counts[i].data;
		all.fetch += counts[i].fetch;
		all.undefined += counts[i].undefined;
		all.serror += counts[i].serror;
		all.irq += counts[i].irq;
		all.sea += counts[i].sea;
	}
	say_number("\nhostile: done seed=", a->seed);
	say_number(" cpus=", a->cpus);
	say_number(" data=", all.data);
	say_number(" fetch=", all.fetch);
	say_number(" undefined=", all.undefined);
	say_number(" serror=", all.serror);
	say_number(" irq=", all.irq);
	say_number(" sea=", all.sea);
	say("\n");
	/* The host may look at what is left of its monitor; r: all of it once more, on a machine that is new. */
	if (key(TOGETHER_MS) == 'r')
		psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}

static void others_wait(unsigned int want)
{
	uint64_t until = milliseconds() + TOGETHER_MS;

	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < want && milliseconds() < until)
		if (argument_is("mode", "irq"))
			irq_wake(want);
	if (arrived < want)
		say("\nhostile: a vCPU has got lost\n");
}

void guest_main(uint64_t cpu, uint64_t fdt);
void guest_main(uint64_t cpu, uint64_t fdt)
{
	static unsigned int cpus;
	struct attack a = { .cpu = (unsigned int)cpu };

	__asm__ volatile("msr daifclr, #4"); /* SErrors are of interest; interrupts only in irq.c */
	if (!cpu) {
		arguments_find(fdt);
		say("hostile: up\n");
		cpus = 1;
		/* PSCI attacks start the others themselves, and worse. */
		if (!argument_is("mode", "psci"))
			while (cpus < FBK_MAX_CPUS && psci(PSCI_CPU_ON, cpus, (uint64_t)secondary, cpus) == 0)
				cpus++;
	}
	a.seed = argument_number("seed", 1);
	a.rounds = argument_number("rounds", 200);
	a.cpus = cpus;
	a.garbage.state = a.seed * 1000003 + cpu;
	attack(&a);
	__asm__ volatile("msr daifset, #2");
	__atomic_fetch_add(&arrived, 1, __ATOMIC_RELEASE);
	if (cpu)
		return; /* and sleeps */
	over = true;
	others_wait(cpus);
	virtio_check(&a);
	report(&a);
	exec_end(&a);
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}
