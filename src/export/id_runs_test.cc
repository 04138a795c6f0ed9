// Runs of ids: the same ids, in whatever order they are asked for.
#include "export/id_runs.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::telemetry::exporting {
namespace {

TEST(RunsOfIds, AreThoseOfTheCipherInWhateverOrder) {
  const IdCipher one({1, 2, 3}, {4, 5, 6}), other({7}, {8});
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  IdRuns runs;
  std::uint64_t counter = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (random() % 10 == 0) counter = random() % 64;
    else if (random() % 50 == 0) counter = UINT64_MAX - random() % 4;
    else if (random() % 4 != 0) ++counter;
    const std::uint32_t source = random() % 100 == 0 ? 2 : 1;
    const IdCipher& ids = source == 2 ? other : one;
    ASSERT_EQ(runs.trace(source, ids, counter), ids.trace_id(counter));
    ASSERT_EQ(runs.span(source, ids, counter), ids.span_id(counter));
    if (random() % 1000 == 0) runs.forget();
  }
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
