/*
 * Runs a command, waits for it and all that it waited for, and writes what it cost as one JSON line to a file.
 *
 * Usage: measure-child FILE PROCESSOR[,PROCESSOR…] SECONDS COMMAND [ARGUMENT…]
 *   PROCESSOR  where the command may run; so it is kept from the responder's
 *   SECONDS    after which the command is killed
 *
 * Build: gcc -O2 -o measure-child measure-child.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void end_child(int number) {
  (void)number;
  kill(child, SIGKILL);
}

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run_command(char **argv) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (char *processor = strtok(argv[2], ","); processor; processor = strtok(NULL, ",")) CPU_SET(atoi(processor), &set);
  sched_setaffinity(0, sizeof set, &set);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(argv[4], argv + 4);
  fprintf(stderr, "measure-child: %s: %s\n", argv[4], strerror(errno));
  _exit(127);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  double started = now();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  child = fork();
  if (child < 0) return 1;
  if (child == 0) run_command(argv);
  struct sigaction action = {.sa_handler = end_child};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  alarm((unsigned)atoi(argv[3]));
  int status;
  struct rusage usage;
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) return 1;
  FILE *file = fopen(argv[1], "w");
  if (!file) return 1;
  fprintf(file, "{\"user_seconds\":%.6f,\"system_seconds\":%.6f,\"wall_seconds\":%.6f,\"resident_kibibytes\":%ld,\"status\":%d}\n",
          seconds(usage.ru_utime), seconds(usage.ru_stime), now() - started, usage.ru_maxrss,
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return fclose(file) == 0 ? 0 : 1;
}
