/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* check-help.c - what `firebreak check --help` prints, on any machine. */
#include "command.h"

const char fbk_check_help[] =
	"firebreak check - what this host can do about memory errors\n"
	"\n"
	"  firebreak check    one line for each ability: whether it is there, and what follows from it\n";
