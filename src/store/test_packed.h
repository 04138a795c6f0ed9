// For the tests of packing: everything that a traces.db holds, hot rows and blocks, as text that can be compared. Not
// part of a program.
#pragma once
#include <map>
#include <string>

#include "store/span_block.h"
#include "store/test_spans.h"
#include "store/test_traces.h"

namespace honeylink::telemetry::store {

inline std::string as_line(const StoredSpan& s) {
  std::string line;
  for (const std::uint64_t n : {std::uint64_t{s.source},
                                std::uint64_t{s.trace.foreign},
                                s.trace.hi,
                                s.trace.lo,
                                s.span,
                                std::uint64_t{s.parent.present},
                                std::uint64_t{s.parent.foreign},
                                s.parent.value,
                                std::uint64_t{s.name},
                                std::uint64_t{s.scope},
                                std::uint64_t{s.kind},
                                std::uint64_t{s.status},
                                static_cast<std::uint64_t>(s.kept),
                                static_cast<std::uint64_t>(s.start_unix_ns),
                                static_cast<std::uint64_t>(s.duration_ns),
                                std::uint64_t{s.unfinished},
                                std::uint64_t{s.keep_trace},
                                std::uint64_t{s.slow},
                                std::uint64_t{s.no_slot},
                                std::uint64_t{s.dropped_attributes},
                                std::uint64_t{s.dropped_events}})
    line += std::to_string(n) + ' ';
  return line.append(reinterpret_cast<const char*>(s.items.data()), s.items.size());
}

struct Contents {
  std::map<std::string, int> spans;  // as_line() → how often
  std::map<std::uint64_t, int> counters;
  std::uint64_t hot = 0, packed = 0, blocks = 0, damaged = 0;
};

inline Contents contents_of(const std::string& path) {
  Contents found;
  Connection connection;
  EXPECT_EQ(connection.open(path, Access::read_only, 1000), SQLITE_OK) << connection.error();
  connection.execute("BEGIN");
  SpanKeys keys;
  Statement rows = connection.prepare("SELECT id, trace_key, span_key FROM idkey");
  while (rows.step() == SQLITE_ROW) {
    IdKey trace{}, span{};
    std::memcpy(trace.data(), rows.blob(1).data(), trace.size());
    std::memcpy(span.data(), rows.blob(2).data(), span.size());
    keys.add(static_cast<std::uint32_t>(rows.integer(0)), trace, span);
  }
  std::map<std::uint32_t, std::string> values;
  rows = connection.prepare("SELECT id, data FROM val");
  while (rows && rows.step() == SQLITE_ROW) {
    std::string_view value;
    if (unpack_value(rows.blob(1), value)) values[static_cast<std::uint32_t>(rows.integer(0))] = value;
  }
  const auto see = [&](const StoredSpan& span, std::uint64_t& where) {
    ++found.spans[as_line(span)], ++found.counters[span.span], ++where;
  };
  StoredSpan span;
  rows = connection.prepare("SELECT data FROM hot");
  while (rows.step() == SQLITE_ROW) {
    TraceBlob blob(rows.blob(0));
    while (blob.next(span)) see(span, found.hot);
    found.damaged += blob.sound() && !blob.damaged() ? 0 : 1;
  }
  rows = connection.prepare("SELECT data, n, zone FROM blk");
  SpanBlockReader reader;
  while (rows.step() == SQLITE_ROW) {
    ++found.blocks;
    SpanZone zone;
    EXPECT_TRUE(read_zone(rows.blob(2), zone));
    if (!reader.open(
            rows.blob(0), [&](std::uint32_t source) { return keys.find(source); },
            [&](std::uint32_t id, std::string_view& value) {
              return values.contains(id) ? (value = values[id], true) : false;
            })) {
      ++found.damaged;
      continue;
    }
    EXPECT_EQ(reader.count(), rows.number(1));
    for (std::size_t i = 0; i < reader.count(); ++i) {
      if (!reader.read(i, span)) {
        ++found.damaged;
        break;
      }
      see(span, found.packed);
    }
  }
  return found;
}

}  // namespace honeylink::telemetry::store
