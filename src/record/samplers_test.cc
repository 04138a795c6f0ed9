// Samplers: which traces are kept, which are recorded only, which not at all.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "honeylink/testing.h"
#include "record/count.h"
#include "record/sampler.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::testing::Capture;
using tel::testing::SpanRecord;

constinit tel::Scope scope{"test.samplers", "2.0"};
constinit tel::Tracer tracer{scope};

TEST(Sampler, TheShareIsDecidedByTheTraceIdAlone) {
  const Capture capture;
  for (const double share : {0.0, 0.1, 0.5, 1.0}) {
    tel::internal::set_sampling(tel::Sampler::trace_id_ratio(share), true);
    int kept = 0;
    for (int i = 0; i < 4'000; ++i) {
      const auto context = tel::start_span("sampled").context();
      std::uint64_t low = 0;
      for (std::size_t b = 8; b < 16; ++b) low = low << 8 | context.trace_id().bytes[b];
      const bool expected = share >= 1.0 || static_cast<double>(low & 0x7fff'ffff'ffff'ffffULL) < share * 0x1p63;
      ASSERT_EQ(context.is_sampled(), expected) << share;
      kept += context.is_sampled();
    }
    EXPECT_NEAR(kept, share * 4'000, 150);
  }
}

TEST(Sampler, ParentBasedFollowsTheParentEitherWay) {
  const Capture capture;
  const tel::Context kept(tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  const tel::Context left(tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
  tel::internal::set_sampling(tel::Sampler::parent_based(tel::Sampler::always_off()), true);
  EXPECT_TRUE(tel::start_span("a", {}, {.parent = &kept}).context().is_sampled());
  EXPECT_FALSE(tel::start_span("b", {}, {.parent = &left}).context().is_sampled());
  EXPECT_FALSE(tel::start_span("c").context().is_sampled());
  tel::internal::set_sampling(tel::Sampler::parent_based(tel::Sampler::always_on()), true);
  EXPECT_FALSE(tel::start_span("d", {}, {.parent = &left}).context().is_sampled());
  EXPECT_TRUE(tel::start_span("e").context().is_sampled());
}

TEST(Sampler, AlwaysOffRecordsNothingAndPassesOn) {
  const Capture capture;
  tel::internal::set_sampling(tel::Sampler::always_off(), true);
  EXPECT_FALSE(tracer.enabled());
  { const auto span = tel::scoped_span("off", {{"a", 1}}); }
  EXPECT_EQ(capture.spans().size(), 0u);
}

TEST(Sampler, WithoutRetroactiveKeepWhatIsNotKeptIsNotRecorded) {
  const Capture capture;
  tel::internal::set_sampling(tel::Sampler::trace_id_ratio(0.0), false);
  {
    const auto span = tel::scoped_span("left out");
    EXPECT_TRUE(span->context().is_valid());
    EXPECT_FALSE(span->context().is_sampled());
    EXPECT_FALSE(span->is_recording());
    const auto child = tel::start_span("child");
    EXPECT_EQ(child.context().trace_id(), span->context().trace_id());
  }
  EXPECT_EQ(capture.spans().size(), 0u);
  tel::internal::set_sampling(tel::Sampler::trace_id_ratio(0.0), true);
  { const auto span = tel::scoped_span("recorded for the last seconds"); }
  EXPECT_EQ(capture.spans().size(), 1u);
}

}  // namespace
