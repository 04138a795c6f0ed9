// Items and records from hostile bytes: ItemCursor over the input as it is, RecordCursor over it as a chunk and as the
// items of a record. What must stay true: no crash; what a cursor gives out lies inside the input and has the size that
// its type needs.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "ring/reader.h"

namespace tel = honeylink::telemetry;
namespace ring = honeylink::telemetry::ring;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

// Touches every byte that an item promises, as its readers do.
std::uint64_t sum_of(std::span<const std::uint8_t> bytes, int depth) {
  tel::ItemCursor cursor(bytes);
  std::uint64_t sum = 0;
  for (tel::Item item; cursor.next(item);) {
    require(item.payload.empty() || (item.payload.data() >= bytes.data() &&
                                     item.payload.data() + item.payload.size() <= bytes.data() + bytes.size()));
    for (const std::uint8_t b : item.payload) sum += b;
    switch (item.type) {
      case tel::ItemType::boolean:
        sum += item.as<std::uint8_t>();
        break;
      case tel::ItemType::integer:
      case tel::ItemType::real:
        sum += item.as<std::uint64_t>();
        break;
      case tel::ItemType::id:
        sum += item.as<std::uint16_t>();
        break;
      case tel::ItemType::event:
        sum += item.as<std::uint32_t>() + item.as<std::uint64_t>(4);
        if (depth < 2) sum += sum_of(item.payload.subspan(tel::kEventHeadBytes), depth + 1);
        break;
      case tel::ItemType::link:
        sum += item.as<std::uint32_t>(24);
        if (depth < 2) sum += sum_of(item.payload.subspan(tel::kLinkHeadBytes), depth + 1);
        break;
      default:
        break;
    }
  }
  return sum;
}

std::uint64_t read_records(std::span<const std::uint8_t> chunk) {
  const ring::TickScale scale(ring::ClockSource::monotonic_ns, {}, {});
  const tel::Source source;
  ring::RecordCursor cursor(chunk);
  std::uint64_t sum = 0;
  for (ring::RawRecord raw; cursor.next(raw);) {
    tel::SpanEvent span;
    tel::LogEvent log;
    require(ring::decode_span(source, scale, raw, {}, span) != ring::decode_log(source, scale, raw, {}, log));
    require(span.duration_ns >= 0);
    sum += sum_of(raw.items, 0);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> input(data, size);
  volatile std::uint64_t used = sum_of(input, 0) + read_records(input);
  (void)used;
  if (size == 0 || size > 4000) return 0;
  // The first byte says how many items the rest is.
  std::vector<std::uint8_t> record((sizeof(ring::SpanRecord) + size - 1 + 7) / 8 * 8);
  ring::SpanRecord head{};
  head.header.type = ring::RecordType::span;
  head.header.bytes = static_cast<std::uint16_t>(record.size());
  head.items = data[0];
  std::memcpy(record.data(), &head, sizeof head);
  std::memcpy(record.data() + sizeof head, data + 1, size - 1);
  used = read_records(record);
  return 0;
}
