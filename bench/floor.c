/*
 * The least that a client can cost: sends queries in batches and counts what comes back, parsing nothing, checking nothing,
 * asking nothing twice. What stands between this and a real client is the real client's own work.
 *
 * Usage: floor PORT RESOLVERS NAMES RUN
 *   RUN  how many queries in a row go to one resolver in one piece (UDP_SEGMENT); 1 for one datagram each
 *
 * Build: gcc -O2 -o floor floor.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BATCH 64
#define RUN_MAX 16
#define IN_FLIGHT_MAX 2048
#define QUERY_OCTETS 41
#define ANSWER_OCTETS_MAX 512
/* A lost answer is never missed for longer. */
#define SILENCE_MS 500

static uint8_t queries[BATCH][RUN_MAX * QUERY_OCTETS], answers[BATCH][ANSWER_OCTETS_MAX];
static struct mmsghdr sends[BATCH], receives[BATCH];
static struct iovec send_parts[BATCH], receive_parts[BATCH];
static struct sockaddr_in to[BATCH], from[BATCH];
static char controls[BATCH][CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));

static void write_query(uint8_t *query, uint32_t number) {
  static const uint8_t form[QUERY_OCTETS] = "\0\0\1\0\0\1\0\0\0\0\0\0\x09n00000000\x05" "bench\x07" "example\0\0\1\0\1";
  memcpy(query, form, QUERY_OCTETS);
  query[0] = (uint8_t)(number >> 8);
  query[1] = (uint8_t)number;
  for (int at = 21; at >= 14; at--, number /= 10) query[at] = (uint8_t)('0' + number % 10);
}

static void prepare(int run) {
  for (int i = 0; i < BATCH; i++) {
    send_parts[i].iov_base = queries[i];
    sends[i].msg_hdr = (struct msghdr){.msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &send_parts[i],
      .msg_iovlen = 1};
    receive_parts[i] = (struct iovec){answers[i], ANSWER_OCTETS_MAX};
    receives[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i],
      .msg_iov = &receive_parts[i], .msg_iovlen = 1};
    if (run == 1) continue;
    sends[i].msg_hdr.msg_control = controls[i];
    sends[i].msg_hdr.msg_controllen = sizeof controls[i];
    struct cmsghdr *control = CMSG_FIRSTHDR(&sends[i].msg_hdr);
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = IPPROTO_UDP,
      .cmsg_type = UDP_SEGMENT};
    *(uint16_t *)CMSG_DATA(control) = QUERY_OCTETS;
  }
}

/* Fills messages until the batch, the window or the names are used up. Returns how many messages there are. */
static int fill(uint32_t *next, uint32_t names, uint32_t room, int port, int resolvers, int run) {
  int count = 0, messages = BATCH / run;
  for (; count < messages && *next < names && room >= (uint32_t)run; count++, room -= (uint32_t)run) {
    uint32_t resolver = *next / (uint32_t)run % (uint32_t)resolvers;
    to[count] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
      .sin_addr.s_addr = htonl(0x7f000000u | (1 + (resolver >> 7)) << 8 | (1 + (resolver & 0x7f)))};
    int length = 0;
    for (int i = 0; i < run && *next < names; i++, length += QUERY_OCTETS) write_query(queries[count] + length, (*next)++);
    send_parts[count].iov_len = (size_t)length;
  }
  return count;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int port = atoi(argv[1]), resolvers = atoi(argv[2]), run = atoi(argv[4]), size = 16 << 20;
  uint32_t names = (uint32_t)atoi(argv[3]), next = 0, sent = 0, received = 0;
  if (run < 1 || run > RUN_MAX || resolvers < 1) return 2;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  prepare(run);
  while (received < names) {
    int count = fill(&next, names, IN_FLIGHT_MAX - (sent - received), port, resolvers, run);
    for (int done = 0; done < count;) {
      int taken = sendmmsg(fd, sends + done, (unsigned)(count - done), 0);
      if (taken > 0) done += taken;
      else if (errno != EAGAIN && errno != EINTR) return 1;
    }
    sent = next;
    int taken = recvmmsg(fd, receives, BATCH, 0, NULL);
    if (taken > 0) received += (uint32_t)taken;
    else if (count == 0) {
      struct pollfd readable = {.fd = fd, .events = POLLIN};
      if (poll(&readable, 1, SILENCE_MS) == 0) break;
    }
  }
  printf("completed: %u\n", received);
  return 0;
}
