/* How often each name and type was asked of responder.c, which includes this file. */

/* Queries per (name, type): open addressing over 64-bit keys, grown at half full. */
static uint64_t *keys;
static uint16_t *seen;
static size_t table_size, table_used;

static size_t find_key(uint64_t key) {
  size_t at = (key * 0x9e3779b97f4a7c15ull) & (table_size - 1);
  while (keys[at] != 0 && keys[at] != key) at = (at + 1) & (table_size - 1);
  return at;
}

static void grow_table(void) {
  size_t old_size = table_size;
  uint64_t *old_keys = keys;
  uint16_t *old_seen = seen;
  table_size = old_size ? old_size * 2 : 1 << 17;
  keys = calloc(table_size, sizeof *keys);
  seen = calloc(table_size, sizeof *seen);
  if (!keys || !seen) abort();
  for (size_t i = 0; i < old_size; i++) {
    if (old_keys[i] == 0) continue;
    size_t at = find_key(old_keys[i]);
    keys[at] = old_keys[i];
    seen[at] = old_seen[i];
  }
  free(old_keys);
  free(old_seen);
}

/* How many queries of this key came before this one. */
static uint32_t count_query(uint64_t key) {
  if ((table_used + 1) * 2 > table_size) grow_table();
  key |= 1; /* 0 marks a free slot */
  size_t at = find_key(key);
  if (keys[at] == 0) {
    keys[at] = key;
    table_used++;
  }
  return seen[at] == UINT16_MAX ? UINT16_MAX : seen[at]++;
}
