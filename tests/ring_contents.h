// What the rings of a home hold, decoded for a test: every record with its place, its name and its attributes as text.
// For rings whose process is dead, so that nothing moves. A value; reading failures are test failures.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "ring/home.h"
#include "ring/reader.h"

namespace honeylink::telemetry::tests {

struct Record {
  std::uint32_t slot = 0;
  std::uint64_t ordinal = 0;
  bool is_log = false;
  std::uint64_t span = 0;  // counter of a span
  std::string name;
  std::map<std::string, std::int64_t> numbers;  // integer attributes
  std::map<std::string, std::string> texts;
};

struct OpenRecord : Record {
  bool ending = false;
  std::uint64_t ending_slot = 0, ending_ordinal = 0;
};

struct RingContents {
  std::string name;
  std::uint64_t pid = 0;
  bool clean = false;
  std::vector<Record> records;  // by slot and ordinal
  std::vector<OpenRecord> open;
  std::uint64_t accepted[ring::kClasses]{};
  std::uint64_t no_slot[ring::kClasses]{};
  std::map<std::string_view, std::uint64_t> counters;  // of the process, by their names
  std::map<std::string, double> values;  // counters and up-down counters by name, histograms by their count
  std::vector<std::string> unsound;      // what should never be: damage, holes, repetitions
  IdKey trace_key{};
  std::string service;
  ResourceInfo resource;

  [[nodiscard]] std::size_t count(std::string_view record_name) const {
    return static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(), [&](const Record& r) { return r.name == record_name; }));
  }
  [[nodiscard]] std::uint64_t accepted_in_all() const { return accepted[0] + accepted[1] + accepted[2]; }
};

inline void read_items(const Source& source, std::span<const std::uint8_t> bytes, Record& to) {
  ItemCursor items(bytes);
  for (Item item; items.next(item);) {
    if (item.type == ItemType::integer) to.numbers[std::string(source.text(item.key))] = item.as<std::int64_t>();
    if (item.type == ItemType::text) to.texts[std::string(source.text(item.key))] = item.text();
  }
}

inline void read_records(ring::RingReader& reader, RingContents& to) {
  std::vector<ring::ChunkView> chunks;
  if (!reader.read_chunks(chunks)) return to.unsound.push_back(reader.why());
  std::sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
  std::map<std::uint32_t, std::uint64_t>
      next;  // per slot: the ordinal that must follow (rule: no hole above the oldest chunk)
  for (const ring::ChunkView& view : chunks) {
    if (view.state != ring::ChunkState::owned && view.state != ring::ChunkState::full) continue;
    ring::ChunkCopy copy;
    bool moved = false;
    if (!reader.copy_chunk(view, copy, moved)) {
      to.unsound.push_back("chunk cannot be copied: " + reader.why());
      continue;
    }
    std::uint64_t ordinal = copy.view.first_total();
    if (next.count(view.slot) != 0 && next[view.slot] != ordinal)
      to.unsound.push_back("slot " + std::to_string(view.slot) + ": ordinal " + std::to_string(ordinal) + " follows " +
                           std::to_string(next[view.slot]));
    ring::RecordCursor cursor(copy.bytes);
    for (ring::RawRecord raw; cursor.next(raw); ++ordinal) {
      Record record;
      record.slot = view.slot;
      record.ordinal = ordinal;
      const ring::TickScale scale = reader.tick_scale();
      SpanEvent span;
      LogEvent log;
      if (ring::decode_span(reader.source(), scale, raw, {view.slot, ordinal}, span)) {
        record.span = span.span;
        record.name = reader.source().text(span.name);
        read_items(reader.source(), span.items, record);
      } else if (ring::decode_log(reader.source(), scale, raw, {view.slot, ordinal}, log)) {
        record.is_log = true;
        record.name = reader.source().text(log.name);
        read_items(reader.source(), log.items, record);
      }
      to.records.push_back(std::move(record));
    }
    if (cursor.damaged()) to.unsound.push_back("chunk " + std::to_string(view.index) + " holds a torn record");
    next[view.slot] = ordinal;
  }
  std::stable_sort(to.records.begin(), to.records.end(), [](const Record& a, const Record& b) {
    return a.slot != b.slot ? a.slot < b.slot : a.ordinal < b.ordinal;
  });
  for (std::size_t i = 1; i < to.records.size(); ++i)
    if (to.records[i].slot == to.records[i - 1].slot && to.records[i].ordinal == to.records[i - 1].ordinal)
      to.unsound.push_back("an ordinal is there twice");
}

inline void read_open(ring::RingReader& reader, RingContents& to) {
  std::vector<ring::OpenSpan> open;
  if (!reader.read_open_spans(open)) return to.unsound.push_back(reader.why());
  for (const ring::OpenSpan& span : open) {
    ring::RecordCursor cursor(span.record);
    ring::RawRecord raw;
    SpanEvent event;
    if (!cursor.next(raw) || !ring::decode_span(reader.source(), reader.tick_scale(), raw, {span.slot, 0}, event)) {
      to.unsound.push_back("an open span does not decode");
      continue;
    }
    OpenRecord record;
    record.slot = span.slot;
    record.span = event.span;
    record.name = reader.source().text(event.name);
    record.ending = span.ending;
    record.ending_slot = span.ending_slot;
    record.ending_ordinal = span.ending_ordinal;
    read_items(reader.source(), event.items, record);
    to.open.push_back(std::move(record));
  }
}

inline void read_values(ring::RingReader& reader, RingContents& to) {
  ring::CellSnapshot cells;
  if (!reader.read_cells(cells)) return to.unsound.push_back(reader.why());
  if (cells.skipped != 0) to.unsound.push_back("a histogram was skipped");
  const auto& series = reader.series();
  for (const ring::ScalarCell& cell : cells.scalars) {
    if (cell.series >= series.size()) continue;
    const SeriesInfo& info = series[cell.series].info;
    if (info.kind == MetricType::counter || info.kind == MetricType::up_down)
      to.values[info.name] += static_cast<double>(static_cast<std::int64_t>(cell.value));
  }
  for (const ring::HistogramCell& cell : cells.histograms)
    if (cell.series < series.size()) to.values[series[cell.series].info.name] += static_cast<double>(cell.sketch.count);
}

inline RingContents read_ring(Fd file, const std::string& name) {
  RingContents contents;
  contents.name = name;
  std::string why;
  const auto reader = ring::RingReader::open(std::move(file), name, false, why);
  if (reader == nullptr || !reader->refresh()) {
    contents.unsound.push_back(reader == nullptr ? why : reader->why());
    return contents;
  }
  contents.pid = reader->source().pid;
  contents.clean = reader->live().clean;
  contents.trace_key = reader->source().trace_key;
  contents.resource = reader->source().resource;
  contents.service = contents.resource.service_name;
  std::copy_n(reader->live().no_slot, ring::kClasses, contents.no_slot);
  for (std::size_t i = 0; i < kProcessCounterNames.size(); ++i)
    contents.counters[kProcessCounterNames[i]] = reader->live().counters[i];
  if (!reader->read_accepted(contents.accepted)) contents.unsound.push_back(reader->why());
  read_records(*reader, contents);
  read_open(*reader, contents);
  read_values(*reader, contents);
  return contents;
}

/// A home and a runtime directory of their own; removed at the end.
class TestHome {
 public:
  TestHome() {
    std::string pattern = (std::filesystem::temp_directory_path() / "honeylink-test.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
    std::filesystem::create_directory(runtime());
    std::filesystem::permissions(runtime(), std::filesystem::perms::owner_all);
    ::setenv("XDG_RUNTIME_DIR", runtime().c_str(), 1);
    ::setenv("HONEYLINK_HOME", home().c_str(), 1);
    for (const char* name : {"HONEYLINK_TELEMETRY", "OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME",
                             "OTEL_RESOURCE_ATTRIBUTES"})
      ::unsetenv(name);
  }
  ~TestHome() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;
  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::string home() const { return path_ + "/home"; }
  [[nodiscard]] std::string runtime() const { return path_ + "/runtime"; }
  [[nodiscard]] std::vector<RingContents> rings() const {
    std::vector<RingContents> all;
    for (const ring::RingFile& file : ring::list_rings(home()))
      all.push_back(read_ring(Fd(::open((file.directory + "/" + file.name).c_str(), O_RDONLY | O_CLOEXEC)), file.name));
    return all;
  }
  void remove_rings() const {
    for (const ring::RingFile& file : ring::list_rings(home())) (void)ring::unlink_ring(file.directory, file.name);
  }

 private:
  std::string path_;
};

}  // namespace honeylink::telemetry::tests
