// RingReader: opening, live words, slots and chunks. Orders are those of docs/formats/ring_file.md, "Reading".
#include "ring/reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "ring/reader_state.h"

namespace honeylink::telemetry::ring {
namespace {

struct Region {
  const char* name;
  std::uint64_t offset, bytes, alignment;
};

// Empty: sound.
std::string why_unsound(const Header& h, std::uint64_t file_size) {
  if (h.magic != kMagic) return "is not a ring (wrong magic)";
  if (h.version != kVersion)
    return "is a ring of version " + std::to_string(h.version) + "; this program reads version " +
           std::to_string(kVersion);
  if (h.file_bytes > kRingBytesMax) return "says that it is larger than any ring";
  if (file_size < h.file_bytes)
    return "is truncated: " + std::to_string(file_size) + " of " + std::to_string(h.file_bytes) + " bytes";
  if (h.slot_count == 0 || h.slot_count > kSlotsMax) return "has an impossible number of thread slots";
  if (h.chunk_count == 0 || h.chunk_count > kChunksMax) return "has an impossible number of chunks";
  if (h.chunk_bytes < 2 * kRecordBytesMax || h.chunk_bytes > kChunkBytesMax || h.chunk_bytes % kPageBytes != 0)
    return "has chunks of an impossible size";
  if (h.directory_bytes > kDirectoryBytesMax) return "has a directory of an impossible size";
  if (h.cells_bytes > kCellsBytesMax) return "has cells of an impossible size";
  if (h.clock_source != ClockSource::monotonic_ns && h.clock_source != ClockSource::tsc) return "has an unknown clock";
  Region regions[] = {{"header", 0, kPageBytes, 8},
                      {"thread slots", h.slots_offset, h.slot_count * sizeof(ThreadSlot), 64},
                      {"chunk headers", h.chunk_headers_offset, h.chunk_count * sizeof(ChunkHeader), 64},
                      {"directory", h.directory_offset, h.directory_bytes, 8},
                      {"cells", h.cells_offset, h.cells_bytes, 64},
                      {"chunks", h.chunks_offset, std::uint64_t{h.chunk_count} * h.chunk_bytes, 64}};
  std::sort(std::begin(regions), std::end(regions),
            [](const Region& a, const Region& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  for (const Region& r : regions) {
    if (r.offset % r.alignment != 0) return std::string("has misaligned ") + r.name;
    if (r.offset > h.file_bytes || r.bytes > h.file_bytes - r.offset)
      return std::string("has ") + r.name + " outside of itself";
    if (r.offset < end) return std::string("has ") + r.name + " that overlap what is before";
    end = r.offset + r.bytes;
  }
  return {};
}

bool is_this_boot(const std::uint8_t (&boot_id)[16]) {
  const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[36];
  if (!file || !read_exactly(file.get(), text, sizeof text, 0)) return false;
  std::uint8_t now[16];
  std::size_t digits = 0;
  char compact[32];
  for (const char c : text) {
    if (c != '-' && digits < sizeof compact) compact[digits++] = c;
  }
  return unhex({compact, digits}, now) && std::memcmp(now, boot_id, sizeof now) == 0;
}

ChunkView view_of(std::uint32_t index, std::uint64_t word, const std::uint8_t* header) noexcept {
  ChunkView v;
  v.index = index;
  v.generation = generation_of(word);
  v.slot = slot_of(word);
  v.state = state_of(word);
  v.committed = load<std::uint32_t>(header + offsetof(ChunkHeader, committed));
  v.released = load<std::uint32_t>(header + offsetof(ChunkHeader, released));
  v.seq = load<std::uint64_t>(header + offsetof(ChunkHeader, seq));
  v.seal_seq = load<std::uint64_t>(header + offsetof(ChunkHeader, seal_seq));
  std::memcpy(v.first, header + offsetof(ChunkHeader, first), sizeof v.first);
  return v;
}

}  // namespace

RingReader::RingReader(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
RingReader::~RingReader() = default;

std::unique_ptr<RingReader> RingReader::open(Fd file, std::string name, bool writable, std::string& why) {
  auto state = std::make_unique<State>();
  State& s = *state;
  s.file = std::move(file);
  s.name = std::move(name);
  s.writable = writable;
  struct stat info {};
  if (!s.file || ::fstat(s.file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return s.fail("is not a regular file"), why = s.why, nullptr;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < kPageBytes) return s.fail("is too short for a ring's header"), why = s.why, nullptr;
  if (!s.read(s.page, sizeof s.page, 0)) return why = s.why, nullptr;
  const Header& h = s.header();
  if (const std::string unsound = why_unsound(h, size); !unsound.empty()) return why = s.name + " " + unsound, nullptr;
  s.same_boot = is_this_boot(h.boot_id);
  std::copy(std::begin(h.ring_id), std::end(h.ring_id), s.source.ring_id.begin());
  std::copy(std::begin(h.trace_key), std::end(h.trace_key), s.source.trace_key.begin());
  std::copy(std::begin(h.span_key), std::end(h.span_key), s.source.span_key.begin());
  s.source.pid = h.pid;
  s.source.started_unix_ns = std::max<std::int64_t>(0, h.created.realtime_ns);
  s.source.texts.emplace_back("_other");
  s.unfold_left = std::min(kUnfoldedBytesMax, kUnfoldingMax * h.directory_bytes);
  return std::unique_ptr<RingReader>(new RingReader(std::move(state)));
}

const Header& RingReader::header() const noexcept { return state_->header(); }
const Source& RingReader::source() const noexcept { return state_->source; }
Source& RingReader::mutable_source() noexcept { return state_->source; }
const std::string& RingReader::name() const noexcept { return state_->name; }
int RingReader::fd() const noexcept { return state_->file.get(); }
bool RingReader::process_alive() const noexcept { return is_locked(state_->file.get()); }
bool RingReader::same_boot() const noexcept { return state_->same_boot; }
const LiveWords& RingReader::live() const noexcept { return state_->live; }
const std::vector<SeriesDef>& RingReader::series() const noexcept { return state_->series; }
const std::string& RingReader::why() const noexcept { return state_->why; }

TickScale RingReader::tick_scale() const noexcept {
  const Header& h = header();
  return {h.clock_source, h.created, state_->same_boot ? read_clocks(h.clock_source) : h.created};
}

bool RingReader::refresh() try {
  State& s = *state_;
  alignas(8) std::uint8_t page[kPageBytes];
  if (!s.read(page, sizeof page, 0)) return false;
  const auto word = [&](std::size_t offset) noexcept { return load<std::uint64_t>(page + offset); };
  LiveWords& live = s.live;
  // Nothing that is beyond its area is ever kept, whatever else goes wrong below: later readings go by these numbers.
  const Header& h = s.header();
  const std::uint64_t directory_used = word(offsetof(Header, directory_used)),
                      cells_used = word(offsetof(Header, cells_used));
  live.directory_used = directory_used <= h.directory_bytes ? directory_used : 0;
  live.cells_used = cells_used <= h.cells_bytes ? cells_used : 0;
  live.flush_request = word(offsetof(Header, flush_request));
  live.flush_done = word(offsetof(Header, flush_done));
  live.clean = load<std::uint32_t>(page + offsetof(Header, clean)) == 1;
  std::memcpy(live.no_slot, page + offsetof(Header, no_slot), sizeof live.no_slot);
  std::memcpy(live.counters, page + offsetof(Header, counters), sizeof live.counters);
  const std::size_t unlinked = std::min<std::uint64_t>(word(offsetof(Header, unlinked_count)), kUnlinkedRings);
  if (unlinked > live.unlinked.size()) {
    // The entries are whole once the count says so: read them behind it.
    if (!s.read(page, sizeof page, 0)) return false;
    const auto* entries = page + offsetof(Header, unlinked);
    while (live.unlinked.size() < unlinked)
      live.unlinked.push_back(load<UnlinkedRing>(entries + live.unlinked.size() * sizeof(UnlinkedRing)));
  }
  struct stat info {};
  if (::fstat(s.file.get(), &info) != 0 || static_cast<std::uint64_t>(info.st_size) < h.file_bytes)
    return s.fail("was truncated");
  if (cells_used > h.cells_bytes) return s.fail("says that more cells are used than there are");
  if (directory_used > h.directory_bytes) return s.fail("says that more of its directory is used than there is");
  return s.read_directory();
} catch (const std::bad_alloc&) { return false; }

bool RingReader::refresh_names() try {
  State& s = *state_;
  alignas(8) std::uint64_t used = 0;
  if (!s.read(&used, sizeof used, offsetof(Header, directory_used))) return false;
  if (used > s.header().directory_bytes) return s.fail("says that more of its directory is used than there is");
  s.live.directory_used = used;
  return s.read_directory();
} catch (const std::bad_alloc&) { return false; }

bool RingReader::read_slots(std::vector<SlotView>& to) try {
  State& s = *state_;
  const Header& h = s.header();
  const std::size_t count = h.slot_count;
  s.slots.resize(count);
  std::vector<bool> settled(count);
  std::size_t left = count;
  for (int tries = 0; tries < kTriesMax && left > 0; ++tries) {
    // seal_seq, then the totals that it names, then seal_seq again: the pair is overwritten only behind the next seal.
    for (std::vector<std::uint8_t>* buffer : {&s.first, &s.second, &s.third}) {
      if (!s.read(*buffer, count * sizeof(ThreadSlot), h.slots_offset)) return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = i * sizeof(ThreadSlot), seal = at + offsetof(ThreadSlot, seal_seq);
      const auto before = load<std::uint64_t>(&s.first[seal]);
      if (settled[i] || before != load<std::uint64_t>(&s.third[seal])) continue;
      settled[i] = true;
      --left;
      SlotView& v = s.slots[i];
      v.used = load<std::uint32_t>(&s.second[at]) == static_cast<std::uint32_t>(SlotState::used);
      v.tid = load<std::uint32_t>(&s.second[at + offsetof(ThreadSlot, tid)]);
      v.seal_seq = before;
      std::memcpy(v.sealed, &s.second[at + offsetof(ThreadSlot, totals) + (before & 1) * sizeof v.sealed],
                  sizeof v.sealed);
    }
  }
  to = s.slots;
  return true;
} catch (const std::bad_alloc&) { return false; }

bool RingReader::read_chunks(std::vector<ChunkView>& to) try {
  State& s = *state_;
  const Header& h = s.header();
  // Words, then headers, then words: a header counts only if its chunk kept its generation around it.
  for (std::vector<std::uint8_t>* buffer : {&s.first, &s.second, &s.third}) {
    if (!s.read(*buffer, h.chunk_count * sizeof(ChunkHeader), h.chunk_headers_offset)) return false;
  }
  to.resize(h.chunk_count);
  for (std::uint32_t i = 0; i < h.chunk_count; ++i) {
    const std::size_t at = i * sizeof(ChunkHeader);
    const auto before = load<std::uint64_t>(&s.first[at]), after = load<std::uint64_t>(&s.third[at]);
    to[i] = view_of(i, before, &s.second[at]);
    const bool moving = generation_of(before) != generation_of(after) || state_of(before) == ChunkState::claim;
    if (moving || static_cast<std::uint16_t>(to[i].state) > static_cast<std::uint16_t>(ChunkState::slots))
      to[i].state = ChunkState::claim;
  }
  return true;
} catch (const std::bad_alloc&) { return false; }

// What `seen` says of state, length and ordinals was read in this order by read_chunks(), under a word that stood
// still.
bool RingReader::copy_chunk(const ChunkView& seen, ChunkCopy& copy, bool& moved, std::uint32_t from) try {
  State& s = *state_;
  const Header& h = s.header();
  moved = false;
  if (seen.index >= h.chunk_count) return s.fail("has no chunk " + std::to_string(seen.index));
  if (seen.state != ChunkState::owned && seen.state != ChunkState::full) return moved = true, false;
  copy.view = seen;
  copy.full = seen.state == ChunkState::full;
  const bool fits = seen.committed <= h.chunk_bytes;
  const std::uint32_t begin = std::min(from, seen.committed);
  const std::uint64_t at = h.chunks_offset + std::uint64_t{seen.index} * h.chunk_bytes + begin;
  if (fits && !s.read(copy.bytes, seen.committed - begin, at)) return false;
  alignas(8) std::uint64_t again = 0;
  if (!s.read(&again, sizeof again, h.chunk_headers_offset + std::uint64_t{seen.index} * sizeof(ChunkHeader)))
    return false;
  const bool stood = generation_of(again) == seen.generation &&
                     (state_of(again) == ChunkState::owned || state_of(again) == ChunkState::full);
  if (!stood) return copy.bytes.clear(), moved = true, false;
  if (!fits) return s.fail("chunk " + std::to_string(seen.index) + " says that it holds more than fits into it");
  return true;
} catch (const std::bad_alloc&) { return moved = false; }

bool RingReader::read_accepted(std::uint64_t (&accepted)[kClasses]) try {
  std::vector<SlotView> slots;
  std::vector<ChunkView> chunks;
  for (std::uint64_t& n : accepted) n = 0;
  if (!read_slots(slots) || !read_chunks(chunks)) return false;
  for (const SlotView& slot : slots) {
    for (std::size_t k = 0; k < kClasses; ++k) accepted[k] += slot.sealed[k];
  }
  for (const ChunkView& chunk : chunks) {
    if (chunk.state != ChunkState::owned || chunk.slot >= slots.size() || chunk.seal_seq != slots[chunk.slot].seal_seq)
      continue;
    ChunkCopy copy;
    bool moved = false;
    if (!copy_chunk(chunk, copy, moved)) continue;
    RecordCursor cursor(copy.bytes);
    for (RawRecord record; cursor.next(record);) ++accepted[static_cast<std::size_t>(record.record_class)];
  }
  return true;
} catch (const std::bad_alloc&) { return false; }

bool RingReader::release_chunk(std::uint32_t index, std::uint32_t generation) noexcept {
  const Header& h = header();
  if (!state_->writable || index >= h.chunk_count || generation == 0) return false;
  const std::uint64_t at =
      h.chunk_headers_offset + std::uint64_t{index} * sizeof(ChunkHeader) + offsetof(ChunkHeader, released);
  return write_exactly(fd(), &generation, sizeof generation, at);
}
bool RingReader::acknowledge_flush(std::uint64_t request) noexcept {
  return state_->writable && write_exactly(fd(), &request, sizeof request, offsetof(Header, flush_done));
}
bool RingReader::set_tick_epoch(std::uint32_t epoch) noexcept {
  return state_->writable && write_exactly(fd(), &epoch, sizeof epoch, offsetof(Header, tick_epoch));
}

}  // namespace honeylink::telemetry::ring
