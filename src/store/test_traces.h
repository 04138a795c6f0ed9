// For the tests of the stores: spans of one ring into a TraceStore and out of its file again. Not part of a program.
#pragma once
#include <memory>
#include <string>

#include "store/database.h"
#include "store/test_support.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::store {

inline std::unique_ptr<TraceStore> open_traces(const StoreOptions& options, std::string& said) {
  auto store = TraceStore::open(options, said);
  EXPECT_NE(store, nullptr) << said;
  if (store != nullptr && store->begin_epoch() == 0) ADD_FAILURE() << store->why();
  return store;
}

inline CommitResult commit_spans(TraceStore& store, const Source& source, std::uint64_t first, std::uint64_t n,
                                 std::span<const std::uint8_t> items = {}) {
  for (std::uint64_t i = 0; i < n; ++i) store.add(make_span(source, first + i, items));
  const SlotCursor cursor{source.ring_id, 0, first + n};
  return store.commit({&cursor, 1}, stored(n), false);
}

inline std::int64_t count_spans(const std::string& path) {
  Connection connection;
  EXPECT_EQ(connection.open(path, Access::read_only, 1000), SQLITE_OK) << connection.error();
  return connection.integer("SELECT coalesce(sum(n), 0) FROM hot", -1);
}

}  // namespace honeylink::telemetry::store
