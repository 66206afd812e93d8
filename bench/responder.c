/*
 * A DNS responder for measuring and for misbehaving at speed: answers A and AAAA for any name, over UDP and TCP on all
 * of 127.0.0.0/8, each answer from the address that was asked (IP_PKTINFO).
 *
 * Whether the n-th query of a name meets an oddity is drawn from (seed, oddity, name, n) and from nothing else, so that a
 * run can be repeated and its outcome computed (draw-oddity.ts draws the same).
 *
 * Prints one JSON line with the port when it listens, and its counters as one JSON line at SIGUSR1, SIGTERM and SIGINT.
 * Ends with its parent.
 *
 * Invariant: listens on the loopback device only, and sends nothing that was not asked for.
 *
 * Build: gcc -O2 -pthread -o responder responder.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BATCH 128
#define QUERY_MAX 512
/* The query, one AAAA record and an OPT record. */
#define ANSWER_MAX (QUERY_MAX + 64)
/* An answer, its duplicate, and the two that others would inject. */
#define SENDS_PER_QUERY 4
#define HELD_MAX 262144
#define WHEEL_MS 16384
#define TCP_CONNECTIONS_MAX 4096
#define TCP_BUFFER 8192
#define SOCKET_BUFFER (64 << 20)

/* The order is part of the draw: append only. */
enum oddity {
  LOSS_IN, LOSS_OUT, REORDER, DUPLICATE, WRONG_ID, WRONG_SOURCE, WRONG_QUESTION, TRUNCATE, MALFORMED, DELAY, NXDOMAIN,
  ODDITIES
};
static const char *const ODDITY_NAMES[ODDITIES] = {
  "loss-in", "loss-out", "reorder", "duplicate", "wrong-id", "wrong-source", "wrong-question", "truncate", "malformed",
  "delay", "nxdomain",
};
static const char *const COUNTER_NAMES[ODDITIES] = {
  "lost_queries", "lost_answers", "reordered", "duplicates", "wrong_ids", "wrong_sources", "wrong_questions",
  "truncated", "malformed", "delayed", "nxdomains",
};

struct answer {
  struct sockaddr_in to;
  struct in_addr from;
  uint16_t length;
  uint8_t octets[ANSWER_MAX];
};

struct held {
  struct held *next;
  struct answer answer;
};

/* Options. A share of 2^32 for each oddity; 0 never happens. */
static uint64_t shares[ODDITIES];
static uint32_t seed = 1, reorder_ms = 20, delay_ms = 100, lossless_after;
static int port, use_gro, use_table, processor = -1;

/* Counters. Only the TCP thread writes the tcp ones. */
static uint64_t queries, answers, unreadable, send_errors, held_overflow, counts[ODDITIES];
static atomic_ulong tcp_queries, tcp_connections;

static volatile sig_atomic_t must_print, must_stop;

static uint32_t mix(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* 32 bits that depend on all that matters, and on nothing else. */
static uint32_t draw(enum oddity oddity, uint32_t name_hash, uint32_t attempt) {
  return mix(name_hash ^ mix(seed + (uint32_t)oddity * 0x9e3779b9u + attempt * 0x632be5abu));
}

static int happens(enum oddity oddity, uint32_t name_hash, uint32_t attempt) {
  if (shares[oddity] == 0 || draw(oddity, name_hash, attempt) >= shares[oddity]) return 0;
  counts[oddity]++;
  return 1;
}

#include "responder-answer.h"
#include "responder-table.h"

static int udp;
static struct answer sends[BATCH * SENDS_PER_QUERY];
static struct mmsghdr send_headers[BATCH * SENDS_PER_QUERY];
static struct iovec send_parts[BATCH * SENDS_PER_QUERY];
static union {
  struct cmsghdr header;
  char octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
} send_controls[BATCH * SENDS_PER_QUERY];
static unsigned sends_count;

static void prepare_sends(void) {
  for (unsigned i = 0; i < BATCH * SENDS_PER_QUERY; i++) {
    send_parts[i].iov_base = sends[i].octets;
    struct msghdr *message = &send_headers[i].msg_hdr;
    message->msg_name = &sends[i].to;
    message->msg_namelen = sizeof sends[i].to;
    message->msg_iov = &send_parts[i];
    message->msg_iovlen = 1;
    message->msg_control = &send_controls[i];
    message->msg_controllen = sizeof send_controls[i];
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  }
}

static void flush_sends(void) {
  for (unsigned i = 0; i < sends_count; i++) {
    send_parts[i].iov_len = sends[i].length;
    ((struct in_pktinfo *)CMSG_DATA(&send_controls[i].header))->ipi_spec_dst = sends[i].from;
  }
  for (unsigned done = 0; done < sends_count;) {
    int sent = sendmmsg(udp, send_headers + done, sends_count - done, 0);
    if (sent > 0) {
      done += (unsigned)sent;
      answers += (uint64_t)sent;
    } else if (errno != EINTR) {
      done++;
      send_errors++;
    }
  }
  sends_count = 0;
}

static struct answer *next_send(void) {
  if (sends_count == BATCH * SENDS_PER_QUERY) flush_sends();
  return &sends[sends_count++];
}

static struct held *wheel[WHEEL_MS], *free_held;
static unsigned held_count;
static uint64_t wheel_at_ms;

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Takes an answer out of the batch, to be sent later; sends it at once when too many are held. */
static void hold_answer(const struct answer *answer, uint32_t ms) {
  struct held *held = free_held;
  if (held) free_held = held->next;
  else if (held_count < HELD_MAX) held = malloc(sizeof *held);
  if (!held) {
    held_overflow++;
    *next_send() = *answer;
    return;
  }
  held->answer = *answer;
  if (held_count++ == 0) wheel_at_ms = now_ms();
  uint64_t slot = (now_ms() + ms) % WHEEL_MS;
  held->next = wheel[slot];
  wheel[slot] = held;
}

static void release_held(void) {
  if (held_count == 0) return;
  for (uint64_t now = now_ms(); wheel_at_ms <= now; wheel_at_ms++) {
    struct held *held = wheel[wheel_at_ms % WHEEL_MS];
    wheel[wheel_at_ms % WHEEL_MS] = NULL;
    while (held) {
      struct held *next = held->next;
      *next_send() = held->answer;
      held->next = free_held;
      free_held = held;
      held_count--;
      held = next;
    }
  }
}

/* What others would send while the true answer is under way: they are not lost with it. */
static void inject(const struct answer *truth, const struct question *question, uint32_t attempt) {
  struct answer *lie;
  if (happens(WRONG_ID, question->hash, attempt)) {
    *(lie = next_send()) = *truth;
    lie->octets[0] ^= 0x55;
    lie->octets[1] ^= 0x55;
  }
  if (happens(WRONG_SOURCE, question->hash, attempt)) {
    *(lie = next_send()) = *truth;
    lie->from.s_addr = htonl((ntohl(truth->from.s_addr) & 0xff00ffffu) | 0x00ff0000u);
  }
  if (happens(WRONG_QUESTION, question->hash, attempt)) {
    *(lie = next_send()) = *truth;
    lie->octets[13] = lie->octets[13] == 'q' ? 'z' : 'q';
  }
}

static void answer_query(const uint8_t *query, uint32_t length, const struct sockaddr_in *to, struct in_addr from) {
  struct question question;
  if (length > QUERY_MAX || !read_question(query, length, &question) || (ntohl(from.s_addr) >> 24) != 127) {
    unreadable++;
    return;
  }
  queries++;
  uint32_t attempt = use_table ? count_query(question.key) : 0;
  int is_lossless = lossless_after != 0 && attempt >= lossless_after;
  if (!is_lossless && happens(LOSS_IN, question.hash, attempt)) return;
  struct answer *answer = next_send();
  answer->to = *to;
  answer->from = from;
  if (!use_table) {
    answer->length = (uint16_t)write_answer(answer->octets, query, &question, 0);
    return;
  }
  struct answer truth = {.to = *to, .from = from};
  sends_count--;
  /* By name, not by query: asking again over UDP must not help. */
  int is_truncated = happens(TRUNCATE, question.hash, 0);
  truth.length = (uint16_t)write_answer(truth.octets, query, &question, is_truncated);
  if ((truth.octets[3] & 0x0f) == 3) counts[NXDOMAIN]++;
  inject(&truth, &question, attempt);
  if (!is_lossless && happens(LOSS_OUT, question.hash, attempt)) return;
  if (!is_truncated && happens(MALFORMED, question.hash, attempt))
    truth.length = (uint16_t)break_answer(truth.octets, &question, draw(MALFORMED, question.hash, attempt + 1000));
  if (happens(DUPLICATE, question.hash, attempt)) *next_send() = truth;
  if (happens(DELAY, question.hash, attempt)) hold_answer(&truth, delay_ms);
  else if (happens(REORDER, question.hash, attempt))
    hold_answer(&truth, 1 + draw(REORDER, question.hash, attempt + 1000) % reorder_ms);
  else *next_send() = truth;
}

static void print_counters(void) {
  uint32_t meminfo[SK_MEMINFO_VARS] = {0};
  socklen_t size = sizeof meminfo;
  getsockopt(udp, SOL_SOCKET, SO_MEMINFO, meminfo, &size);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"queries\":%lu,\"answers\":%lu,\"unreadable\":%lu,\"send_errors\":%lu,\"held_overflow\":%lu,"
         "\"kernel_drops\":%u,\"tcp_queries\":%lu,\"tcp_connections\":%lu,\"cpu_seconds\":%.3f",
         queries, answers, unreadable, send_errors, held_overflow, meminfo[SK_MEMINFO_DROPS],
         atomic_load(&tcp_queries), atomic_load(&tcp_connections),
         (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  for (int i = 0; i < ODDITIES; i++) printf(",\"%s\":%lu", COUNTER_NAMES[i], counts[i]);
  if (use_table) {
    /* How many names were asked once, twice, …; the last place has all that were asked more often. */
    uint64_t histogram[16] = {0};
    for (size_t i = 0; i < table_size; i++)
      if (keys[i] != 0) histogram[seen[i] > 16 ? 15 : seen[i] - 1]++;
    printf(",\"names\":%zu,\"names_by_queries\":[", table_used);
    for (int i = 0; i < 16; i++) printf(i ? ",%lu" : "%lu", histogram[i]);
    printf("]");
  }
  printf("}\n");
  fflush(stdout);
}

static void fail(const char *what) {
  fprintf(stderr, "responder: %s: %s\n", what, strerror(errno));
  exit(1);
}

#include "responder-tcp.h"

static uint8_t receive_buffers[BATCH][65536];

/* With UDP_GRO, several queries of one length come as one; the segment size is in the control data. */
static void answer_datagram(const uint8_t *octets, uint32_t length, struct msghdr *message) {
  struct in_addr from = {0};
  uint32_t segment = length;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO)
      from = ((struct in_pktinfo *)CMSG_DATA(control))->ipi_addr;
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
      segment = (uint32_t) * (int *)CMSG_DATA(control);
  }
  if (length == 0 || segment == 0) return;
  for (uint32_t at = 0; at < length; at += segment)
    answer_query(octets + at, length - at < segment ? length - at : segment, message->msg_name, from);
}

static void serve_udp(void) {
  static struct mmsghdr headers[BATCH];
  static struct iovec parts[BATCH];
  static struct sockaddr_in names[BATCH];
  static char controls[BATCH][128] __attribute__((aligned(8)));
  while (!must_stop) {
    if (must_print) {
      must_print = 0;
      print_counters();
    }
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){receive_buffers[i], use_gro ? sizeof receive_buffers[i] : QUERY_MAX + 1};
      headers[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &parts[i],
        .msg_iovlen = 1, .msg_control = controls[i], .msg_controllen = sizeof controls[i]};
    }
    struct pollfd readable = {.fd = udp, .events = POLLIN};
    if (held_count > 0) poll(&readable, 1, 1);
    int count = recvmmsg(udp, headers, BATCH, held_count > 0 ? MSG_DONTWAIT : MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; i++) answer_datagram(receive_buffers[i], headers[i].msg_len, &headers[i].msg_hdr);
    release_held();
    if (sends_count > 0) flush_sends();
  }
  print_counters();
}

/* A socket on `port`, which becomes the one that the system chose when it is 0. -1 when the port is taken. */
static int open_socket(int type) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1, size = SOCKET_BUFFER;
  if (fd < 0) fail("socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) fail("bind to the loopback device");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  port = ntohs(address.sin_port);
  if (type == SOCK_STREAM) return fd;
  struct timeval wait = {.tv_usec = 50000};
  setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  for (int option = 0; option < 2; option++) {
    int forced = option ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, polite = option ? SO_SNDBUF : SO_RCVBUF;
    if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) != 0)
      setsockopt(fd, SOL_SOCKET, polite, &size, sizeof size);
  }
  if (use_gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) != 0) fail("UDP_GRO");
  return fd;
}

static void on_signal(int number) {
  if (number == SIGUSR1) must_print = 1;
  else must_stop = 1;
}

enum { OPTION_PORT = ODDITIES, OPTION_SEED, OPTION_REORDER_MS, OPTION_DELAY_MS, OPTION_LOSSLESS_AFTER, OPTION_COUNT,
  OPTION_GRO, OPTION_CPU, OPTIONS };

static void read_options(int argc, char **argv) {
  static struct option options[OPTIONS + 1] = {
    [OPTION_PORT] = {"port", 1, 0, OPTION_PORT},
    [OPTION_SEED] = {"seed", 1, 0, OPTION_SEED},
    [OPTION_REORDER_MS] = {"reorder-ms", 1, 0, OPTION_REORDER_MS},
    [OPTION_DELAY_MS] = {"delay-ms", 1, 0, OPTION_DELAY_MS},
    [OPTION_LOSSLESS_AFTER] = {"lossless-after", 1, 0, OPTION_LOSSLESS_AFTER},
    [OPTION_COUNT] = {"count-names", 0, 0, OPTION_COUNT},
    [OPTION_GRO] = {"gro", 0, 0, OPTION_GRO},
    [OPTION_CPU] = {"cpu", 1, 0, OPTION_CPU},
  };
  for (int i = 0; i < ODDITIES; i++) options[i] = (struct option){ODDITY_NAMES[i], 1, 0, i};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option < ODDITIES) {
      shares[option] = (uint64_t)(atof(optarg) * 4294967296.0);
      use_table = 1;
    } else if (option == OPTION_PORT) port = atoi(optarg);
    else if (option == OPTION_SEED) seed = (uint32_t)strtoul(optarg, NULL, 10);
    else if (option == OPTION_REORDER_MS) reorder_ms = (uint32_t)atoi(optarg);
    else if (option == OPTION_DELAY_MS) delay_ms = (uint32_t)atoi(optarg);
    else if (option == OPTION_LOSSLESS_AFTER) lossless_after = (uint32_t)atoi(optarg);
    else if (option == OPTION_COUNT) use_table = 1;
    else if (option == OPTION_CPU) processor = atoi(optarg);
    else if (option == OPTION_GRO) use_gro = 1;
    else exit(2);
  }
  if (reorder_ms < 1 || reorder_ms >= WHEEL_MS || delay_ms < 1 || delay_ms >= WHEEL_MS) {
    fprintf(stderr, "responder: delays are 1 to %d ms\n", WHEEL_MS - 1);
    exit(2);
  }
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (processor >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) fail("processor");
  }
  int wanted_port = port, listener = -1;
  /* A port that is free for UDP may be taken for TCP. */
  for (int left = 16; left > 0 && listener < 0; left--) {
    port = wanted_port;
    udp = open_socket(SOCK_DGRAM);
    if (udp >= 0 && (listener = open_socket(SOCK_STREAM)) < 0) close(udp);
  }
  if (listener < 0) fail("bind");
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  if (use_table) grow_table();
  prepare_sends();
  start_tcp(listener);
  printf("{\"port\":%d}\n", port);
  fflush(stdout);
  serve_udp();
  return 0;
}
