// See segment_blob.h.
#include "store/segment_blob.h"

#include <algorithm>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/point_codec.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::size_t kCheckedFrom = 8;

bool entry_of(Decoder& in, std::uint64_t& offset, std::uint32_t& sid, bool first, SegmentEntry& entry) {
  const std::uint32_t step = varint32(in);
  const unsigned kind = in.fixed<std::uint8_t>();
  entry.points = in.varint();
  entry.size = in.varint();
  entry.crc = in.fixed<std::uint32_t>();
  if (!in.ok() || kind > static_cast<unsigned>(MetricType::histogram) || (step == 0 && !first) ||
      step > 0xffff'ffffU - sid)
    return false;
  sid += step;
  entry.sid = sid;
  entry.kind = static_cast<MetricType>(kind);
  entry.offset = offset;
  return true;
}

bool grid_fits(const SegmentGrid& grid) noexcept {
  if (grid.tier < 0 || static_cast<std::size_t>(grid.tier) >= kTiers.size()) return false;
  constexpr std::int64_t kTimeMax = std::int64_t{1} << 40;  // seconds: sums of times and spans stay far from the ends
  return grid.step_s == kTiers[static_cast<std::size_t>(grid.tier)].step_s && grid.ticks <= kSegmentTicksMax &&
         grid.t0_unix_s > -kTimeMax && grid.t0_unix_s < kTimeMax;
}

}  // namespace

void SegmentWriter::add(const SeriesPoints& series) {
  const std::size_t begin = bodies_.size();
  encode_points(series, grid_.tier > 0, grid_.ticks, grid_.t0_unix_s, grid_.step_s, *work_, bodies_);
  put_varint(directory_, series.sid - sid_);
  directory_.push_back(static_cast<std::uint8_t>(series.kind));
  put_varint(directory_, series.points);
  put_varint(directory_, bodies_.size() - begin);
  put_fixed(directory_, crc32c(std::span(bodies_).subspan(begin)));
  sid_ = series.sid;
  points_ += series.points;
  ++series_;
}

Bytes SegmentWriter::finish() {
  Bytes blob;
  blob.reserve(kSegmentHead + directory_.size() + bodies_.size());
  put_fixed(blob, kSegmentMagic);
  put_fixed(blob, std::uint32_t{0});
  blob.push_back(static_cast<std::uint8_t>(grid_.tier));
  blob.push_back(0);
  put_fixed(blob, static_cast<std::uint16_t>(series_));
  put_fixed(blob, static_cast<std::uint32_t>(directory_.size()));
  put_fixed(blob, static_cast<std::uint32_t>(grid_.step_s));
  put_fixed(blob, grid_.ticks);
  put_fixed(blob, grid_.t0_unix_s);
  put_bytes(blob, directory_.data(), directory_.size());
  const std::uint32_t crc = crc32c(std::span(blob).subspan(kCheckedFrom));
  std::memcpy(blob.data() + 4, &crc, sizeof crc);
  put_bytes(blob, bodies_.data(), bodies_.size());
  return blob;
}

std::size_t SegmentDirectory::bytes_needed(std::span<const std::uint8_t> head) noexcept {
  if (head.size() < kSegmentHead) return 0;
  Decoder in(as_text(head));
  const auto magic = in.fixed<std::uint32_t>();
  in.bytes(8);
  const auto size = in.fixed<std::uint32_t>();
  return magic == kSegmentMagic && size <= kDirectoryBytesMax ? kSegmentHead + size : 0;
}

std::optional<SegmentDirectory> SegmentDirectory::read(std::span<const std::uint8_t> bytes, std::uint64_t blob_bytes) {
  const std::size_t needed = bytes_needed(bytes);
  if (needed == 0 || bytes.size() < needed || blob_bytes < needed) return std::nullopt;
  Decoder in(as_text(bytes.first(needed)));
  in.fixed<std::uint32_t>();
  const auto crc = in.fixed<std::uint32_t>();
  if (crc != crc32c(bytes.subspan(kCheckedFrom, needed - kCheckedFrom))) return std::nullopt;
  SegmentDirectory directory;
  SegmentGrid& grid = directory.grid;
  grid.tier = in.fixed<std::uint8_t>();
  in.fixed<std::uint8_t>();
  const std::size_t series = in.fixed<std::uint16_t>();
  in.fixed<std::uint32_t>();
  grid.step_s = in.fixed<std::uint32_t>();
  grid.ticks = in.fixed<std::uint32_t>();
  grid.t0_unix_s = in.fixed<std::int64_t>();
  if (!grid_fits(grid) || series > kSegmentSeriesMax) return std::nullopt;
  std::uint64_t offset = needed;
  std::uint32_t sid = 0;
  directory.entries.resize(series);
  for (std::size_t i = 0; i < series; ++i) {
    SegmentEntry& entry = directory.entries[i];
    if (!entry_of(in, offset, sid, i == 0, entry) || entry.size > blob_bytes - offset) return std::nullopt;
    offset += entry.size;
  }
  if (!in.at_end() || offset != blob_bytes) return std::nullopt;
  return directory;
}

const SegmentEntry* SegmentDirectory::find(std::uint32_t sid) const noexcept {
  const auto at = std::lower_bound(entries.begin(), entries.end(), sid,
                                   [](const SegmentEntry& entry, std::uint32_t wanted) { return entry.sid < wanted; });
  return at != entries.end() && at->sid == sid ? &*at : nullptr;
}

bool read_series(const SegmentGrid& grid, const SegmentEntry& entry, std::span<const std::uint8_t> body,
                 SegmentWorkspace& work, SeriesPoints& to) {
  if (body.size() != entry.size || crc32c(body) != entry.crc) return false;
  to.sid = entry.sid;
  to.kind = entry.kind;
  to.points = entry.points;
  return decode_points(body, grid.tier > 0, grid.ticks, grid.t0_unix_s, grid.step_s, work, to);
}

bool segment_sound(std::span<const std::uint8_t> blob) {
  const auto directory = SegmentDirectory::read(blob, blob.size());
  return directory && std::all_of(directory->entries.begin(), directory->entries.end(), [&](const SegmentEntry& entry) {
           return crc32c(blob.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size))) ==
                  entry.crc;
         });
}

}  // namespace honeylink::telemetry::store
