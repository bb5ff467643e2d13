/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* machine.c - see hostile.h */
#include "hostile.h"

enum { UART_DR = 0, UART_FR = 0x18, UART_FR_RXFE = 1 << 4 };

void say(const char *text)
{
	while (*text)
		write32(FBK_UART_BASE + UART_DR, (uint8_t)*text++);
}

void say_number(const char *before, uint64_t n)
{
	char digits[24];
	unsigned int at = sizeof(digits);

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	say(before);
	say(digits + at);
}

int typed(void)
{
	int byte = virtio_typed();

	if (byte >= 0)
		return byte;
	return read32(FBK_UART_BASE + UART_FR) & UART_FR_RXFE ? -1 : (int)(read32(FBK_UART_BASE + UART_DR) & 0xff);
}

int key(uint64_t most_ms)
{
	uint64_t until = milliseconds() + most_ms;
	int c;

	do
		c = typed();
	while ((c < 0 || c == '\n') && milliseconds() < until);
	return c;
}

uint64_t milliseconds(void)
{
	uint64_t now, per_second;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tmrs %1, cntfrq_el0" : "=r"(now), "=r"(per_second));
	return now / (per_second / 1000);
}

#define CALL(how)                                                                                                                  \
	register uint64_t x0 __asm__("x0") = function;                                                                             \
	register uint64_t x1 __asm__("x1") = a;                                                                                    \
	register uint64_t x2 __asm__("x2") = b;                                                                                    \
	register uint64_t x3 __asm__("x3") = c;                                                                                    \
	/* [SMCCC 2.6]: x4 to x17 may come back changed */                                                                         \
	__asm__ volatile(how                                                                                                       \
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                                                  \
			 :                                                                                                         \
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");  \
	return x0

uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	CALL("hvc #0");
}

uint64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	CALL("smc #0");
}
