// Blocks of traces.db from anybody: the bytes as they are, and again with a magic number and checksum that fit, so that
// what lies behind them is reached. Nothing may be read beyond the input, memory stays within the bounds of
// span_block_format.h, walks end. The same bytes are tried as a zone map and as a filter.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/crc32c.h"
#include "store/foreign_filter.h"
#include "store/span_block.h"
#include "store/span_block_format.h"

namespace {
using namespace honeylink::telemetry::store;

std::size_t touched = 0;

void read(std::span<const std::uint8_t> bytes, std::size_t step) {
  static const honeylink::telemetry::IdCipher cipher({1}, {2});
  static SpanBlockReader reader;
  const bool sound = reader.open(
      bytes, [](std::uint32_t source) { return source % 4 == 3 ? nullptr : &cipher; },
      [](std::uint32_t id, std::string_view& value) { return value = "a value", id % 8 != 7; });
  if (reader.count() > kBlockSpansMax || (!sound && reader.count() != 0)) std::abort();
  StoredSpan span;
  for (std::size_t i = 0; i < reader.count() && reader.read(i, span); i += step) {
    if (span.items.size() > kBlockSpanItemsMax) std::abort();
    for (const std::uint8_t byte : span.items) touched += byte;
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({data, size}, 1);
  SpanZone zone;
  touched += read_zone({data, size}, zone) ? zone.names.size() : 0;
  touched += may_hold({data, size}, {1, 2}) ? 1 : 0;
  if (size < kSpanBlockHead) return 0;
  std::vector<std::uint8_t> bytes(data, data + size);
  std::memcpy(bytes.data(), &kSpanBlockMagic, 4);
  const std::uint32_t crc = honeylink::telemetry::crc32c(bytes.data() + 8, size - 8);
  std::memcpy(bytes.data() + 4, &crc, 4);
  if (!SpanBlockReader::sound(bytes)) std::abort();
  read(bytes, 1);
  read(bytes, 3);
  return 0;
}
