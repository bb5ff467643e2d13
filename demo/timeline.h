/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * timeline.h - event files, put into words.
 */
#ifndef FBK_DEMO_TIMELINE_H
#define FBK_DEMO_TIMELINE_H

/* Print one line for each event in the files *.events below @folder. Return: how many. */
unsigned int fbk_timeline(const char *folder);

#endif
