// Blobs of traces.db from anybody: the bytes as they are, and again with a header and checksum that fit, so that the
// spans behind them are reached. Nothing may be read beyond the input; walks end.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/crc32c.h"
#include "store/trace_codec.h"
#include "store/trace_format.h"

namespace {
using namespace honeylink::telemetry::store;

std::size_t touched = 0;

void walk(StoredItems items, std::int64_t start, int depth) {
  StoredItem item;
  while (items.next(item)) {
    for (const char c : item.text) touched += static_cast<unsigned char>(c);
    for (const std::uint8_t byte : item.elements) touched += byte;
    if (depth > 0) walk(StoredItems(item.items, start), start, depth - 1);
  }
}

void read(std::span<const std::uint8_t> bytes) {
  TraceBlob blob(bytes);
  StoredSpan span;
  std::uint32_t spans = 0;
  while (blob.next(span)) {
    ++spans;
    walk(StoredItems(span.items, span.start_unix_ns), span.start_unix_ns, 3);
  }
  if (spans > blob.count() || blob.next(span)) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size});
  if (size < kTraceBlobHead) return 0;
  std::vector<std::uint8_t> bytes(data, data + size);
  std::memcpy(bytes.data(), &kTraceBlobMagic, 4);
  const std::uint32_t crc = honeylink::telemetry::crc32c(bytes.data() + 8, size - 8);
  std::memcpy(bytes.data() + 4, &crc, 4);
  if (!TraceBlob(bytes).sound()) std::abort();
  read(bytes);
  return 0;
}
