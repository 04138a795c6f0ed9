// See bases.h. Layout: magic u64 | commit_no u64 | bytes u64 | crc32c u32 of the body | body: varints by base/coding.h.
#include "engine/bases.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "ring/home.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::uint64_t kMagic = 0x3153'4553'4142'4800ULL;  // "\0HBASES1"
constexpr std::size_t kHeadBytes = 28;
constexpr std::size_t kFileBytesMax = std::size_t{256} << 20;

std::string file_name(int number) { return "/bases." + std::to_string(number); }

void put_sketch(std::string& to, const Sketch& sketch) {
  put_signed(to, sketch.scale);
  put_signed(to, sketch.offset);
  put_varint(to, sketch.zeros);
  put_varint(to, sketch.count);
  put_fixed(to, sketch.sum);
  put_varint(to, sketch.buckets.size());
  for (const std::uint64_t bucket : sketch.buckets) put_varint(to, bucket);
}
Sketch get_sketch(Decoder& from) {
  Sketch sketch;
  sketch.scale = static_cast<std::int32_t>(from.signed_varint());
  sketch.offset = static_cast<std::int32_t>(from.signed_varint());
  sketch.zeros = from.varint();
  sketch.count = from.varint();
  sketch.sum = from.fixed<double>();
  const std::uint64_t buckets = from.varint();
  for (std::uint64_t i = 0; i < buckets && from.ok(); ++i) sketch.buckets.push_back(from.varint());
  return sketch;
}

std::string encode(const AllBases& bases) {
  std::string body;
  put_varint(body, bases.size());
  for (const auto& [ring, base] : bases) {
    body.append(reinterpret_cast<const char*>(ring.data()), ring.size());
    put_varint(body, base.scalars.size());
    for (const std::uint64_t value : base.scalars) put_fixed(body, value);
    put_varint(body, base.histograms.size());
    for (const auto& [block, sketch] : base.histograms) put_varint(body, block), put_sketch(body, sketch);
    for (const std::uint64_t n : base.counters) put_varint(body, n);
  }
  return body;
}

bool decode(std::string_view body, AllBases& bases) {
  Decoder from(body);
  const std::uint64_t rings = from.varint();
  for (std::uint64_t i = 0; i < rings && from.ok(); ++i) {
    RingId id{};
    const auto bytes = from.bytes(id.size());
    if (!from.ok()) return false;
    std::memcpy(id.data(), bytes.data(), id.size());
    MetricBases& base = bases[id];
    const std::uint64_t scalars = from.varint();
    for (std::uint64_t k = 0; k < scalars && from.ok(); ++k) base.scalars.push_back(from.fixed<std::uint64_t>());
    const std::uint64_t histograms = from.varint();
    for (std::uint64_t k = 0; k < histograms && from.ok(); ++k) {
      const auto block = static_cast<std::uint32_t>(from.varint());
      base.histograms[block] = get_sketch(from);
    }
    for (std::uint64_t& n : base.counters) n = from.varint();
  }
  return from.ok() && from.at_end();
}

bool write_into(const std::string& directory, int number, std::string_view head, std::string_view body,
                std::string& why) {
  if (!make_private_directory(directory, why)) return false;
  const Fd file = open_file(directory + file_name(number), O_RDWR | O_CREAT, 0600, why);
  if (!file) return false;
  if (::ftruncate(file.get(), 0) == 0 && write_exactly(file.get(), body.data(), body.size(), head.size()) &&
      write_exactly(file.get(), head.data(), head.size(), 0))
    return true;
  why = "cannot write " + directory + file_name(number);
  return false;
}

}  // namespace

bool write_bases(const std::string& home, int number, std::uint64_t commit_no, const AllBases& bases,
                 std::uint64_t& crc, std::string& why) {
  const std::string body = encode(bases);
  const std::uint32_t sum = crc32c(body.data(), body.size());
  std::string head;
  put_fixed(head, kMagic);
  put_fixed(head, commit_no);
  put_fixed(head, std::uint64_t{body.size()});
  put_fixed(head, sum);
  crc = sum;
  for (const auto& directory : ring::ring_directories(home)) {
    if (write_into(directory, number, head, body, why)) return true;
  }
  return false;
}

bool read_bases(const std::string& home, const store::BaseSlot& slot, AllBases& bases) {
  bases.clear();
  for (const auto& directory : ring::ring_directories(home)) {
    std::string text, why;
    if (!read_whole(directory + file_name(slot.number), kFileBytesMax, text, why) || text.size() < kHeadBytes) continue;
    Decoder head(std::string_view(text).substr(0, kHeadBytes));
    const auto magic = head.fixed<std::uint64_t>(), commit_no = head.fixed<std::uint64_t>(),
               bytes = head.fixed<std::uint64_t>();
    const auto crc = head.fixed<std::uint32_t>();
    const std::string_view body = std::string_view(text).substr(kHeadBytes);
    if (magic != kMagic || commit_no != slot.commit_no || bytes != body.size() || crc != slot.crc ||
        crc32c(body.data(), body.size()) != crc)
      continue;
    if (decode(body, bases)) return true;
    bases.clear();
  }
  return false;
}

}  // namespace honeylink::telemetry::engine
