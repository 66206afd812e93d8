/*
 * Datagrams for the bulk engine, in batches: sendmmsg and recvmmsg over typed arrays that JavaScript and this file share.
 *
 * open(resolvers, sockets, bufferOctets, isSegmented) → sockets, or the errno as a number
 *   resolvers: 18 octets each, an IPv6 (or IPv4-mapped) address and the port, in network order
 * send(sockets, wire, entries, count) → how many entries went out, from the front
 *   entries: three numbers each, offset in wire, octets, number of the resolver
 * wait(sockets, timeoutMs, gatherMs) → how many sockets have something, gatherMs after the first had
 * receive(sockets, octets, strideOctets, heads, agesMs) → how many datagrams came
 *   octets: strideOctets for each that all three arrays have room for, close together; then equal parts of the rest, for
 *   what of each is longer
 *   heads: three numbers each, octets, number of the resolver (-1 for anybody else), 1 when cut off
 *   agesMs: for how long each has been here, as the kernel's stamp says; -1 without a stamp
 * stats(sockets, counters), close(sockets)
 *
 * Invariant: decides nothing, keeps no pointer into an array between calls, and looks at no array behind its end, whatever
 * the numbers in it say. Nothing waits longer than WAIT_MS_MAX.
 *
 * Sources: sendmmsg(2), recvmmsg(2), udp(7) on UDP_SEGMENT, socket(7) on SO_TIMESTAMPNS; Node-API version 8.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
/* Counted up with every change of arguments or layouts; src/platform/native-sockets.ts takes no other. */
#define INTERFACE_VERSION 2
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <node_api.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BATCH_MAX 256
#define SOCKETS_MAX 64
#define ENDPOINT_OCTETS 18
#define FIELDS 3
#define RUN_MIN 4
#define RUN_MAX 16
#define DATAGRAM_MAX 65507
#define WAIT_MS_MAX 100.0
#define MS 1e6

enum counter { OPENED, SEND_CALLS, SENT, SENT_MESSAGES, SEND_ERRORS, RECEIVE_CALLS, RECEIVED, CUT_OFF, LAST_ERRNO, COUNTERS };

struct endpoint {
  uint64_t high, low;
  uint16_t port; /* in network order */
};

/* Where a datagram goes; of length 0 where this machine has no IPv6: refused, and counted. */
struct address {
  struct sockaddr_in6 name;
  socklen_t length;
};

struct control {
  _Alignas(struct cmsghdr) char octets[CMSG_SPACE(sizeof(struct timespec))];
};

struct sockets {
  struct pollfd polls[SOCKETS_MAX];
  uint32_t count, turn;
  bool is_six, is_segmented;
  uint32_t resolver_count, mask;
  struct endpoint *resolvers;
  struct address *addresses; /* of the resolvers */
  int32_t *table; /* number of a resolver, -1 where none is; at most half full */
  double counters[COUNTERS];
  struct mmsghdr sends[BATCH_MAX];
  struct iovec send_pieces[BATCH_MAX];
  struct control send_controls[BATCH_MAX];
  uint16_t runs[BATCH_MAX];
  struct mmsghdr receives[BATCH_MAX];
  struct iovec receive_pieces[BATCH_MAX][2];
  struct sockaddr_in6 names[BATCH_MAX];
  struct control receive_controls[BATCH_MAX];
};

static const napi_type_tag TAG = { 0x6c7562726f646e61ULL, 0x7374656b636f732dULL };

static napi_value fail(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
  return NULL;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

/* The octets of a typed array of one kind; false (nothing thrown) for anything else. */
static bool view(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_typed = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed) return false;
  if (napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) != napi_ok) return false;
  if (*data == NULL) *length = 0;
  return type == wanted;
}

static struct sockets *unwrap(napi_env env, napi_value value) {
  bool is_ours = false;
  void *data = NULL;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return NULL;
  if (napi_check_object_type_tag(env, value, &TAG, &is_ours) != napi_ok || !is_ours) return NULL;
  return napi_unwrap(env, value, &data) == napi_ok ? data : NULL;
}

/* The arguments of a call whose first is an object of open; NULL when something was thrown. */
static struct sockets *arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  size_t count = wanted;
  struct sockets *sockets = NULL;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted)
    sockets = unwrap(env, values[0]);
  if (sockets == NULL) napi_throw_type_error(env, NULL, "the first argument comes from open, and none is missing");
  return sockets;
}

static bool same(const struct endpoint *a, const struct endpoint *b) {
  return a->low == b->low && a->port == b->port && a->high == b->high;
}

static uint32_t place(const struct sockets *sockets, const struct endpoint *end) {
  uint64_t hash = end->low ^ ((uint64_t)end->port << 16) ^ (end->high * 0x9e3779b97f4a7c15ULL);
  /* The last octets of an address stand above all others here, from where a product alone would not bring them down. */
  hash = (hash ^ (hash >> 32)) * 0xff51afd7ed558ccdULL;
  return (uint32_t)((hash ^ (hash >> 32)) & sockets->mask);
}

static int32_t find(const struct sockets *sockets, const struct endpoint *end) {
  for (uint32_t at = place(sockets, end);; at = (at + 1) & sockets->mask) {
    int32_t resolver = sockets->table[at];
    if (resolver < 0 || same(&sockets->resolvers[resolver], end)) return resolver;
  }
}

static bool is_mapped(const struct endpoint *end) {
  uint32_t words[2];
  memcpy(words, &end->low, sizeof words);
  return end->high == 0 && words[0] == htonl(0xffff);
}

/* False when memory is short. */
static bool learn(struct sockets *sockets, const uint8_t *octets, size_t count) {
  uint32_t size = 16;
  while (size < count * 2) size *= 2;
  sockets->mask = size - 1;
  sockets->resolver_count = (uint32_t)count;
  sockets->resolvers = calloc(count + 1, sizeof *sockets->resolvers);
  sockets->addresses = calloc(count + 1, sizeof *sockets->addresses);
  sockets->table = malloc(size * sizeof *sockets->table);
  if (sockets->resolvers == NULL || sockets->addresses == NULL || sockets->table == NULL) return false;
  memset(sockets->table, 0xff, size * sizeof *sockets->table);
  for (size_t i = 0; i < count; i++) {
    struct endpoint *end = &sockets->resolvers[i];
    memcpy(&end->high, octets + i * ENDPOINT_OCTETS, 8);
    memcpy(&end->low, octets + i * ENDPOINT_OCTETS + 8, 8);
    memcpy(&end->port, octets + i * ENDPOINT_OCTETS + 16, 2);
    if (!is_mapped(end)) sockets->is_six = true;
    uint32_t at = place(sockets, end);
    while (sockets->table[at] >= 0 && !same(&sockets->resolvers[sockets->table[at]], end)) at = (at + 1) & sockets->mask;
    if (sockets->table[at] < 0) sockets->table[at] = (int32_t)i;
  }
  return true;
}

/* The kernel writes the lengths of what it gave into a message. */
static void make_ready(struct sockets *sockets, uint32_t i) {
  sockets->receives[i].msg_hdr.msg_namelen = sizeof sockets->names[i];
  sockets->receives[i].msg_hdr.msg_controllen = sizeof sockets->receive_controls[i];
}

/* Writes the resolvers as the sockets want them, and what stays the same in all messages. */
static void prepare(struct sockets *sockets) {
  for (uint32_t i = 0; i < sockets->resolver_count; i++) {
    const struct endpoint *end = &sockets->resolvers[i];
    struct address *address = &sockets->addresses[i];
    if (sockets->is_six) {
      address->name = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = end->port };
      memcpy(&address->name.sin6_addr, &end->high, 16);
      address->length = sizeof address->name;
    } else {
      struct sockaddr_in *four = (struct sockaddr_in *)&address->name;
      *four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = end->port };
      memcpy(&four->sin_addr, (const char *)&end->low + 4, 4);
      address->length = is_mapped(end) ? sizeof *four : 0;
    }
  }
  for (int i = 0; i < BATCH_MAX; i++) {
    sockets->receives[i].msg_hdr = (struct msghdr){
      .msg_name = &sockets->names[i], .msg_iov = sockets->receive_pieces[i], .msg_iovlen = 2,
      .msg_control = sockets->receive_controls[i].octets,
    };
    make_ready(sockets, (uint32_t)i);
  }
}

static int open_one(bool is_six, int buffer_octets) {
  int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int off = 0, on = 1, probe = IP_PMTUDISC_PROBE;
  struct sockaddr_in6 name = { .sin6_family = is_six ? AF_INET6 : AF_INET };
  if ((is_six && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
      bind(fd, (struct sockaddr *)&name, is_six ? sizeof name : sizeof(struct sockaddr_in)) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  /* Root gets what it asks for, others up to the limit of the system; without stamps times are only less exact. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_octets, sizeof buffer_octets) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_octets, sizeof buffer_octets);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_octets, sizeof buffer_octets) != 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_octets, sizeof buffer_octets);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  /* Queries fit every path; without fragments to tell apart the kernel needs no number for each. */
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  return fd;
}

static void shut(struct sockets *sockets) {
  for (uint32_t i = 0; i < sockets->count; i++) close(sockets->polls[i].fd);
  sockets->count = 0;
}

static void discard(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct sockets *sockets = data;
  shut(sockets);
  free(sockets->resolvers);
  free(sockets->addresses);
  free(sockets->table);
  free(sockets);
}

static napi_value open_sockets(napi_env env, napi_callback_info info) {
  napi_value values[4], result = NULL;
  size_t count = 4, length = 0;
  void *octets = NULL;
  uint32_t wanted = 0;
  int32_t buffer_octets = 0;
  bool is_segmented = false;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || count < 4 ||
      !view(env, values[0], napi_uint8_array, &octets, &length) ||
      napi_get_value_uint32(env, values[1], &wanted) != napi_ok ||
      napi_get_value_int32(env, values[2], &buffer_octets) != napi_ok ||
      napi_get_value_bool(env, values[3], &is_segmented) != napi_ok ||
      length == 0 || length % ENDPOINT_OCTETS != 0 || length / ENDPOINT_OCTETS > (1 << 24) ||
      wanted < 1 || wanted > SOCKETS_MAX || buffer_octets < 1)
    return fail(env, "open(resolvers, sockets, bufferOctets, isSegmented): an argument is out of range");
  struct sockets *sockets = calloc(1, sizeof *sockets);
  if (sockets == NULL) return number(env, ENOMEM);
  sockets->is_segmented = is_segmented;
  int error = learn(sockets, octets, length / ENDPOINT_OCTETS) ? 0 : ENOMEM;
  while (error == 0 && sockets->count < wanted) {
    int fd = open_one(sockets->is_six, buffer_octets);
    if (fd < 0 && sockets->is_six && sockets->count == 0 && errno == EAFNOSUPPORT) {
      sockets->is_six = false;
      continue;
    }
    if (fd < 0) error = errno;
    else sockets->polls[sockets->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
  }
  sockets->counters[OPENED] = sockets->count;
  if (error != ENOMEM) prepare(sockets);
  if (sockets->count > 0 && napi_create_object(env, &result) == napi_ok &&
      napi_wrap(env, result, sockets, discard, NULL, NULL) == napi_ok) {
    if (napi_type_tag_object(env, result, &TAG) == napi_ok) return result;
    return fail(env, "the object cannot be marked");
  }
  discard(env, sockets, NULL);
  return number(env, error == 0 ? ENOMEM : error);
}

/* How many entries from this one on can go in one piece: to one resolver, of one length, of which the last may be shorter. */
static uint32_t run_length(const int32_t *entry, uint32_t left) {
  uint32_t run = 1;
  for (; run < RUN_MAX && run < left && entry[run * FIELDS + 2] == entry[2]; run++) {
    if (entry[run * FIELDS + 1] > entry[1] || (int64_t)entry[1] * (run + 1) > DATAGRAM_MAX) break;
    if (entry[(run - 1) * FIELDS + 1] < entry[1]) break;
  }
  return run < RUN_MIN ? 1 : run;
}

/* Makes messages of entries, runs to one resolver in one piece. Returns how many; -1 when an entry is out of range. */
static int compose(struct sockets *sockets, uint8_t *wire, size_t wire_octets, const int32_t *entries, uint32_t count) {
  int messages = 0;
  for (uint32_t i = 0; i < count; i++) {
    int64_t at = entries[i * FIELDS], size = entries[i * FIELDS + 1];
    int32_t resolver = entries[i * FIELDS + 2];
    if (at < 0 || size < 1 || size > DATAGRAM_MAX || at + size > (int64_t)wire_octets) return -1;
    if (resolver < 0 || (uint32_t)resolver >= sockets->resolver_count) return -1;
    sockets->send_pieces[i] = (struct iovec){ wire + at, (size_t)size };
  }
  for (uint32_t i = 0; i < count; messages++) {
    const int32_t *entry = entries + (size_t)i * FIELDS;
    uint32_t run = sockets->is_segmented ? run_length(entry, count - i) : 1;
    struct address *address = &sockets->addresses[entry[2]];
    struct msghdr *header = &sockets->sends[messages].msg_hdr;
    header->msg_name = &address->name;
    header->msg_namelen = address->length;
    header->msg_iov = &sockets->send_pieces[i];
    header->msg_iovlen = run;
    header->msg_control = NULL;
    header->msg_controllen = 0;
    if (run > 1) {
      header->msg_control = sockets->send_controls[messages].octets;
      header->msg_controllen = CMSG_SPACE(sizeof(uint16_t));
      struct cmsghdr *segment = CMSG_FIRSTHDR(header);
      *segment = (struct cmsghdr){ CMSG_LEN(sizeof(uint16_t)), IPPROTO_UDP, UDP_SEGMENT };
      uint16_t size = (uint16_t)entry[1];
      memcpy(CMSG_DATA(segment), &size, sizeof size);
    }
    sockets->runs[messages] = (uint16_t)run;
    i += run;
  }
  return messages;
}

static napi_value send_batch(napi_env env, napi_callback_info info) {
  napi_value values[4];
  void *wire = NULL, *entries = NULL;
  size_t wire_octets = 0, fields = 0;
  uint32_t count = 0, sent = 0;
  struct sockets *sockets = arguments(env, info, 4, values);
  if (sockets == NULL) return NULL;
  if (!view(env, values[1], napi_uint8_array, &wire, &wire_octets) ||
      !view(env, values[2], napi_int32_array, &entries, &fields) ||
      napi_get_value_uint32(env, values[3], &count) != napi_ok || count > BATCH_MAX || count > fields / FIELDS)
    return fail(env, "send(sockets, wire, entries, count): an argument is out of range");
  if (sockets->count == 0) return fail(env, "the sockets are closed");
  int messages = compose(sockets, wire, wire_octets, entries, count);
  if (messages < 0) return fail(env, "an entry of the batch is out of range");
  int fd = sockets->polls[sockets->turn++ % sockets->count].fd;
  for (int from = 0; from < messages;) {
    int done = sendmmsg(fd, sockets->sends + from, (unsigned)(messages - from), 0);
    sockets->counters[SEND_CALLS]++;
    if (done < 0) {
      if (errno == EINTR) continue;
      sockets->counters[LAST_ERRNO] = errno;
      if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) break;
      sockets->counters[SEND_ERRORS]++;
      if (sockets->runs[from] > 1) {
        /* The way there does not take runs (EIO, EINVAL, EMSGSIZE): from now on each goes alone. */
        sockets->is_segmented = false;
        messages = compose(sockets, wire, wire_octets, (int32_t *)entries + (size_t)sent * FIELDS, count - sent);
        from = 0;
        continue;
      }
      /* The way to this resolver is closed: its time-out will say so. */
      done = 1;
    }
    sockets->counters[SENT_MESSAGES] += done;
    for (int end = from + done; from < end; from++) sent += sockets->runs[from];
  }
  sockets->counters[SENT] += sent;
  return number(env, sent);
}

static struct timespec milliseconds(double value) {
  double bounded = value > 0 ? (value < WAIT_MS_MAX ? value : WAIT_MS_MAX) : 0;
  return (struct timespec){ .tv_nsec = (long)(bounded * MS) };
}

static napi_value wait_for_any(napi_env env, napi_callback_info info) {
  napi_value values[3];
  double timeout_ms = 0, gather_ms = 0;
  struct sockets *sockets = arguments(env, info, 3, values);
  if (sockets == NULL) return NULL;
  if (napi_get_value_double(env, values[1], &timeout_ms) != napi_ok ||
      napi_get_value_double(env, values[2], &gather_ms) != napi_ok)
    return fail(env, "wait(sockets, timeoutMs, gatherMs): an argument is no number");
  struct timespec timeout = milliseconds(timeout_ms), gather = milliseconds(gather_ms);
  for (uint32_t i = 0; i < sockets->count; i++) sockets->polls[i].revents = 0;
  int ready = ppoll(sockets->polls, sockets->count, &timeout, NULL);
  if (ready > 0 && gather.tv_nsec > 0) {
    struct timespec none = { 0 };
    nanosleep(&gather, NULL);
    ready = ppoll(sockets->polls, sockets->count, &none, NULL);
  }
  return number(env, ready > 0 ? ready : 0);
}

static struct endpoint source(const struct sockets *sockets, const struct sockaddr_in6 *name) {
  struct endpoint end = { .port = name->sin6_port };
  if (sockets->is_six) {
    memcpy(&end.high, &name->sin6_addr, 16);
  } else {
    uint32_t words[2] = { htonl(0xffff), ((const struct sockaddr_in *)name)->sin_addr.s_addr };
    memcpy(&end.low, words, sizeof words);
  }
  return end;
}

static double age(struct msghdr *header, const struct timespec *now) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
    struct timespec stamp;
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return (double)(now->tv_sec - stamp.tv_sec) * 1e3 + (double)(now->tv_nsec - stamp.tv_nsec) / MS;
  }
  return -1;
}

static napi_value receive_batch(napi_env env, napi_callback_info info) {
  napi_value values[5];
  void *octets = NULL, *heads = NULL, *ages = NULL;
  size_t size = 0, fields = 0, age_count = 0;
  uint32_t stride = 0, total = 0;
  struct sockets *sockets = arguments(env, info, 5, values);
  if (sockets == NULL) return NULL;
  if (!view(env, values[1], napi_uint8_array, &octets, &size) ||
      napi_get_value_uint32(env, values[2], &stride) != napi_ok ||
      !view(env, values[3], napi_int32_array, &heads, &fields) ||
      !view(env, values[4], napi_float64_array, &ages, &age_count) ||
      stride < 1 || size < stride || fields < FIELDS || age_count < 1)
    return fail(env, "receive(sockets, octets, strideOctets, heads, agesMs): an argument is out of range");
  size_t room = size / stride < BATCH_MAX ? size / stride : BATCH_MAX;
  if (fields / FIELDS < room) room = fields / FIELDS;
  if (age_count < room) room = age_count;
  size_t rest = size / room - stride;
  for (uint32_t k = 0; k < room; k++) {
    sockets->receive_pieces[k][0] = (struct iovec){ (uint8_t *)octets + stride * k, stride };
    sockets->receive_pieces[k][1] = (struct iovec){ (uint8_t *)octets + stride * room + rest * k, rest };
  }
  /* From the one that sent longest ago, so that a flood at one keeps nobody out. */
  for (uint32_t turn = 0; turn < sockets->count && total < room; turn++) {
    uint32_t i = (sockets->turn + turn) % sockets->count;
    if (sockets->polls[i].revents == 0) continue;
    unsigned wanted = (unsigned)(room - total);
    struct mmsghdr *messages = sockets->receives + total;
    int got = recvmmsg(sockets->polls[i].fd, messages, wanted, MSG_DONTWAIT, NULL);
    sockets->counters[RECEIVE_CALLS]++;
    /* What is behind an error comes with the next wait. */
    if (got < (int)wanted) sockets->polls[i].revents = 0;
    if (got < 0 && errno != EAGAIN) sockets->counters[LAST_ERRNO] = errno;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (int k = 0; k < got; k++, total++) {
      struct msghdr *header = &messages[k].msg_hdr;
      struct endpoint end = source(sockets, &sockets->names[total]);
      bool is_cut = (header->msg_flags & MSG_TRUNC) != 0;
      int32_t *head = (int32_t *)heads + (size_t)total * FIELDS;
      head[0] = (int32_t)messages[k].msg_len;
      head[1] = find(sockets, &end);
      head[2] = is_cut;
      ((double *)ages)[total] = age(header, &now);
      sockets->counters[CUT_OFF] += is_cut;
      make_ready(sockets, total);
    }
  }
  sockets->counters[RECEIVED] += total;
  return number(env, total);
}

static napi_value read_stats(napi_env env, napi_callback_info info) {
  napi_value values[2];
  void *counters = NULL;
  size_t length = 0;
  struct sockets *sockets = arguments(env, info, 2, values);
  if (sockets == NULL) return NULL;
  if (!view(env, values[1], napi_float64_array, &counters, &length) || length < COUNTERS)
    return fail(env, "stats(sockets, counters): the array is too short");
  memcpy(counters, sockets->counters, sizeof sockets->counters);
  return NULL;
}

static napi_value close_sockets(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct sockets *sockets = arguments(env, info, 1, values);
  if (sockets != NULL) shut(sockets);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
    { "open", NULL, open_sockets, NULL, NULL, NULL, napi_enumerable, NULL },
    { "send", NULL, send_batch, NULL, NULL, NULL, napi_enumerable, NULL },
    { "wait", NULL, wait_for_any, NULL, NULL, NULL, napi_enumerable, NULL },
    { "receive", NULL, receive_batch, NULL, NULL, NULL, napi_enumerable, NULL },
    { "stats", NULL, read_stats, NULL, NULL, NULL, napi_enumerable, NULL },
    { "close", NULL, close_sockets, NULL, NULL, NULL, napi_enumerable, NULL },
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  napi_value interface_version;
  napi_create_int32(env, INTERFACE_VERSION, &interface_version);
  napi_set_named_property(env, exports, "interfaceVersion", interface_version);
  return exports;
}
