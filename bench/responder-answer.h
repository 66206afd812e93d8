/* Reads questions and writes answers, true and malformed ones, for responder.c, which includes this file. */

struct question {
  uint32_t end; /* behind the class */
  uint16_t type;
  uint32_t hash; /* FNV-1a over the name in lower case and the type */
  uint64_t key;
  int has_opt;
};

/* 0 for what is no query with one question. */
static int read_question(const uint8_t *query, uint32_t length, struct question *out) {
  if (length < 17 || (query[2] & 0x80) || query[4] != 0 || query[5] != 1) return 0;
  uint32_t at = 12, hash = 2166136261u;
  uint64_t key = 14695981039346656037ull;
  while (at < length && query[at] != 0) {
    if (query[at] > 63) return 0;
    uint32_t next = at + 1 + query[at];
    for (; at < next && at < length; at++) {
      uint8_t octet = query[at] >= 'A' && query[at] <= 'Z' ? query[at] | 0x20 : query[at];
      hash = (hash ^ octet) * 16777619u;
      key = (key ^ octet) * 1099511628211ull;
    }
  }
  if (at + 5 > length || at > 12 + 254) return 0;
  out->type = (uint16_t)(query[at + 1] << 8 | query[at + 2]);
  out->end = at + 5;
  out->hash = ((hash ^ query[at + 1]) * 16777619u ^ query[at + 2]) * 16777619u;
  out->key = ((key ^ query[at + 1]) * 1099511628211ull ^ query[at + 2]) * 1099511628211ull;
  out->has_opt = query[11] != 0 && length >= out->end + 11 && query[out->end] == 0 && query[out->end + 2] == 41;
  return 1;
}

static uint32_t put_opt(uint8_t *answer, uint32_t length) {
  static const uint8_t opt[11] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
  memcpy(answer + length, opt, sizeof opt);
  answer[11] = 1;
  return length + sizeof opt;
}

/* The true answer: 10.h.h.h or fd00::h:h from the hash of the name, TTL 300; other types have no records. */
static uint32_t write_answer(uint8_t *answer, const uint8_t *query, const struct question *question, int is_truncated) {
  memcpy(answer, query, question->end);
  int is_nxdomain = shares[NXDOMAIN] != 0 && draw(NXDOMAIN, question->hash, 0) < shares[NXDOMAIN];
  answer[2] = (uint8_t)(0x84 | (query[2] & 0x01) | (is_truncated ? 0x02 : 0));
  answer[3] = is_nxdomain ? 0x83 : 0x80;
  memset(answer + 6, 0, 6);
  uint32_t length = question->end;
  if (!is_truncated && !is_nxdomain && (question->type == 1 || question->type == 28)) {
    uint32_t size = question->type == 1 ? 4 : 16;
    const uint8_t head[12] = {0xc0, 12, 0, (uint8_t)question->type, 0, 1, 0, 0, 1, 44, 0, (uint8_t)size};
    memcpy(answer + length, head, sizeof head);
    uint8_t *address = answer + length + sizeof head;
    memset(address, 0, size);
    address[0] = size == 4 ? 10 : 0xfd;
    if (size == 16) address[size - 4] = (uint8_t)(question->hash >> 24);
    address[size - 3] = (uint8_t)(question->hash >> 16);
    address[size - 2] = (uint8_t)(question->hash >> 8);
    address[size - 1] = (uint8_t)question->hash;
    answer[7] = 1;
    length += sizeof head + size;
  }
  return question->has_opt ? put_opt(answer, length) : length;
}

/* One of three faults behind the question: a record cut off, a pointer to itself, a length that points behind the end. */
static uint32_t break_answer(uint8_t *answer, const struct question *question, uint32_t variant) {
  uint32_t end = question->end;
  static const uint8_t record[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 0, 0, 1};
  memcpy(answer + end, record, sizeof record);
  answer[3] = 0x80;
  answer[7] = 1;
  answer[11] = 0;
  if (variant % 3 == 0) return end + 7;
  if (variant % 3 == 1) {
    answer[end] = (uint8_t)(0xc0 | end >> 8);
    answer[end + 1] = (uint8_t)end;
  } else answer[end + 10] = 0x7f;
  return end + sizeof record;
}
