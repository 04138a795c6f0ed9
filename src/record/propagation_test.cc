// The way in and out of carriers: the 41 situations of the W3C suite in process, every carrier's shape, the
// environment.
#include "honeylink/propagation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <list>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "record/count.h"
#include "record/trace_context_cases.h"

namespace honeylink::telemetry {
namespace {

using Headers = testing::HeaderList;

std::mt19937_64& random_bits() {
  static std::mt19937_64 random(20261123);
  return random;
}

template <class Id>
Id random_id() {
  Id id;
  for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random_bits()());
  id.bytes[0] |= 1;
  return id;
}

// What any tracer makes of a received context, without its records.
Context child_of(const Context& parent) {
  const SpanContext& from = parent.span();
  if (!from.is_valid()) return parent.with_span(SpanContext(random_id<TraceId>(), random_id<SpanId>(), 3));
  return parent.with_span(
      SpanContext(from.trace_id(), random_id<SpanId>(), from.trace_flags(), false, from.trace_state()));
}

std::string trace_text(const Context& context) {
  const auto hex = context.span().trace_id().hex();
  return {hex.begin(), hex.end()};
}

std::string text_of(const std::array<char, 55>& traceparent) { return {traceparent.begin(), traceparent.end()}; }

const SpanContext kSpan(TraceId{{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e,
                                 0x47, 0x36}},
                        SpanId{{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}}, 1);
const std::string kSpanText = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const Context kContext(kSpan);

class Situations : public ::testing::TestWithParam<testing::Situation> {};

TEST_P(Situations, AreAnsweredAsTheSpecificationSays) {
  for (const testing::Exchange& exchange : GetParam().exchanges) {
    const Context server = child_of(extract(exchange.in));
    std::vector<Headers> sent(static_cast<std::size_t>(exchange.calls));
    for (Headers& headers : sent) inject(headers, child_of(server));
    EXPECT_EQ(testing::complaint(exchange, sent), "") << ::testing::PrintToString(exchange.in);
  }
}
INSTANTIATE_TEST_SUITE_P(W3C, Situations, ::testing::ValuesIn(testing::situations()), [](const auto& info) {
  std::string name;
  for (const char c : std::string(info.param.name)) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(Situations, AreAllFortyOne) { EXPECT_EQ(testing::situations().size(), 41U); }

TEST(SpanContext, ReadsAndWritesTheExampleOfTheSpecification) {
  const SpanContext parsed = SpanContext::parse(kSpanText);
  EXPECT_EQ(parsed.trace_id(), kSpan.trace_id());
  EXPECT_EQ(parsed.span_id(), kSpan.span_id());
  EXPECT_TRUE(parsed.is_sampled());
  EXPECT_TRUE(parsed.is_remote());
  EXPECT_EQ(text_of(parsed.traceparent()), kSpanText);
  EXPECT_FALSE(kSpan.is_remote());
}

TEST(SpanContext, NoPartOfAMalformedParentIsTakenOver) {
  for (const std::string& text :
       {kSpanText.substr(0, 36) + "0000000000000000-01", kSpanText.substr(0, 53) + "0x", kSpanText + "0"}) {
    const SpanContext span = SpanContext::parse(text);
    EXPECT_FALSE(span.trace_id().is_valid()) << text;
    EXPECT_FALSE(span.span_id().is_valid()) << text;
    EXPECT_EQ(span.trace_flags(), 0) << text;
  }
}

TEST(SpanContext, AMalformedParentTakesNoTracestateT8) {
  const std::uint64_t before = internal::counted(ProcessCounter::trace_state_refused);
  EXPECT_EQ(SpanContext::parse("00-", "a=1").trace_state().header(), "");
  EXPECT_EQ(SpanContext::parse("00-", "A").trace_state().header(), "");
  EXPECT_EQ(internal::counted(ProcessCounter::trace_state_refused), before) << "it is not even looked at";
  EXPECT_TRUE(SpanContext::parse(kSpanText, "A").is_valid());
  EXPECT_EQ(SpanContext::parse(kSpanText, "a=1").trace_state().get("a"), "1");
}

TEST(SpanContext, EveryContextSurvivesItsText) {
  for (int i = 0; i < 2000; ++i) {
    const SpanContext span(random_id<TraceId>(), random_id<SpanId>(), static_cast<std::uint8_t>(i));
    const SpanContext back = SpanContext::parse(text_of(span.traceparent()));
    ASSERT_EQ(back.trace_id(), span.trace_id());
    ASSERT_EQ(back.span_id(), span.span_id());
    ASSERT_EQ(back.trace_flags(), i & 3);
  }
}

TEST(SpanContext, OneChangedCharacterIsRefusedOrChangesTheTextItPrints) {
  for (std::size_t at = 0; at < kSpanText.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text = kSpanText;
      text[at] = static_cast<char>(c);
      const SpanContext span = SpanContext::parse(text);
      if (!span.is_valid()) continue;
      // Another version is written as 00, unknown flags are cleared; all else must come back as it was.
      ASSERT_EQ(text_of(span.traceparent()).substr(3, 50), text.substr(3, 50)) << text;
      ASSERT_NE(text.substr(0, 2), "ff");
    }
  }
}

TEST(SpanContext, RandomBytesNeverCrash) {
  constexpr std::string_view kLikely = "0123456789abcdef-AF. \t";
  for (int round = 0; round < 20000; ++round) {
    std::string text(50 + random_bits()() % 12, '0');
    for (char& c : text) c = kLikely[random_bits()() % kLikely.size()];
    const SpanContext span = SpanContext::parse(text);
    ASSERT_EQ(span.is_valid(), SpanContext::parse(text_of(span.traceparent())).is_valid());
  }
}

TEST(Inject, WritesNothingForTheRootContext) {
  Headers headers;
  inject(headers, Context());
  EXPECT_TRUE(headers.empty());
  headers = {{"traceparent", kSpanText}};
  inject(headers, Context());
  EXPECT_EQ(headers.size(), 1U) << "a proxy without a context of its own leaves the header alone";
}

TEST(Inject, WritesTheFieldsThatThereAre) {
  Headers headers;
  inject(headers, kContext);
  EXPECT_EQ(headers, (Headers{{"traceparent", kSpanText}}));
  const SpanContext with_state(kSpan.trace_id(), kSpan.span_id(), 1, false, TraceState::parse("a=1"));
  inject(headers, Context(with_state, Baggage().set("k", "v w")));
  EXPECT_EQ(headers, (Headers{{"traceparent", kSpanText}, {"tracestate", "a=1"}, {"baggage", "k=v%20w"}}));
}

TEST(Inject, BaggageTravelsWithoutASpan) {
  Headers headers;
  inject(headers, Context().with_baggage(Baggage().set("k", "v")));
  EXPECT_EQ(headers, (Headers{{"baggage", "k=v"}}));
}

TEST(Inject, ReplacesStaleFieldsInAnyCase) {
  const Headers stale{
      {"TraceParent", "old"}, {"accept", "x"}, {"TRACESTATE", "old=1"}, {"baggage", "old=1"}, {"traceparent", "older"}};
  Headers list = stale;
  inject(list, kContext);
  EXPECT_EQ(list, (Headers{{"accept", "x"}, {"traceparent", kSpanText}}));
  std::multimap<std::string, std::string> multimap(stale.begin(), stale.end());
  inject(multimap, kContext);
  EXPECT_EQ(multimap, (std::multimap<std::string, std::string>{{"accept", "x"}, {"traceparent", kSpanText}}));
  std::unordered_map<std::string, std::string> unordered(stale.begin(), stale.end());
  inject(unordered, kContext);
  EXPECT_EQ(unordered, (std::unordered_map<std::string, std::string>{{"accept", "x"}, {"traceparent", kSpanText}}));
}

struct StringRef {  // the shape of gRPC's
  const char* text;
  std::size_t bytes;
  [[nodiscard]] const char* data() const { return text; }
  [[nodiscard]] std::size_t size() const { return bytes; }
  friend bool operator<(const StringRef& a, const StringRef& b) {
    return std::string_view(a.text, a.bytes) < std::string_view(b.text, b.bytes);
  }
};
struct ClientContext {
  std::multimap<std::string, std::string> sent;
  void AddMetadata(const std::string& key, const std::string& value) { sent.emplace(key, value); }
};

TEST(Carriers, GrpcMetadataBothWays) {
  ClientContext client;
  inject(client, kContext.with_baggage(Baggage().set("k", "v")));
  std::multimap<StringRef, StringRef> metadata;
  for (const auto& [key, value] : client.sent)
    metadata.emplace(StringRef{key.data(), key.size()}, StringRef{value.data(), value.size()});
  const Context from = extract(metadata);
  EXPECT_EQ(from.span().span_id(), kSpan.span_id());
  EXPECT_TRUE(from.span().is_remote());
  EXPECT_EQ(from.baggage().get("k"), "v");
}

void set_globally(std::string_view name, std::string_view value);
Headers global_headers;
void set_globally(std::string_view name, std::string_view value) { global_headers.emplace_back(name, value); }

TEST(Carriers, SettersOfEveryKind) {
  Headers by_lambda, by_const_lambda;
  inject([&by_lambda](auto name, auto value) { by_lambda.emplace_back(name, value); }, kContext);
  const auto setter = [&by_const_lambda](std::string_view name, std::string_view value) {
    by_const_lambda.emplace_back(name, value);
  };
  inject(setter, kContext);
  inject(set_globally, kContext);
  for (const Headers& headers : {by_lambda, by_const_lambda, global_headers})
    EXPECT_EQ(headers, (Headers{{"traceparent", kSpanText}}));
}

TEST(Carriers, ASettersExceptionReachesItsCaller) {
  EXPECT_THROW(inject([](std::string_view, std::string_view) { throw std::runtime_error("full"); }, kContext),
               std::runtime_error);
}

TEST(Carriers, MapsListsAndViews) {
  const std::map<std::string, std::string> map{{"traceparent", kSpanText}};
  const std::list<std::pair<std::string_view, const char*>> list{{"Traceparent", kSpanText.c_str()}};
  const std::vector<std::pair<std::string_view, std::string_view>> vector{{"other", "x"}, {"TRACEPARENT", kSpanText}};
  for (const Context& context : {extract(map), extract(list), extract(vector)})
    EXPECT_EQ(text_of(context.span().traceparent()), kSpanText);
}

TEST(Carriers, AFunctionMayGiveTextsThatDieAtOnce) {
  const Context context = extract_from([](auto&& sink) {
    const auto give = [&sink](const char* name, const std::string& value) {
      std::string text = value;
      sink(std::string(name), text);
      text.assign(text.size(), '!');  // a dangling view would read this
    };
    give("tracestate", "a=" + std::string(100, 'x'));
    give("traceparent", kSpanText);
    give("baggage", "k=" + std::string(100, 'y'));
    give("tracestate", "b=2");
    give("baggage", "l=3");
  });
  EXPECT_EQ(text_of(context.span().traceparent()), kSpanText);
  EXPECT_EQ(context.span().trace_state().header(), "a=" + std::string(100, 'x') + ",b=2");
  EXPECT_EQ(context.baggage().get("k"), std::string(100, 'y'));
  EXPECT_EQ(context.baggage().get("l"), "3");
}

TEST(Extract, AnswersTheBaseWhereNothingUsableArrived) {
  const Context base(kSpan, Baggage().set("b", "1"));
  for (const Headers& headers : {Headers{}, Headers{{"traceparent", "nonsense"}},
                                 Headers{{"traceparent", kSpanText}, {"traceparent", kSpanText}}}) {
    const Context context = extract(headers, base);
    EXPECT_EQ(trace_text(context), trace_text(base));
    EXPECT_FALSE(context.span().is_remote());
    EXPECT_EQ(context.baggage().get("b"), "1");
    EXPECT_FALSE(extract(headers).span().is_valid());
  }
}

TEST(Extract, BaggageArrivesWhateverTheTraceparentIs) {
  EXPECT_EQ(extract(Headers{{"baggage", "k=v"}}).baggage().get("k"), "v");
  EXPECT_EQ(extract(Headers{{"traceparent", "bad"}, {"Baggage", "k=v"}}).baggage().get("k"), "v");
  const Context replaced = extract(Headers{{"baggage", "k=v"}}, Context().with_baggage(Baggage().set("old", "1")));
  EXPECT_EQ(replaced.baggage().get("old"), "");
}

TEST(Extract, ABadTracestateDoesNotTouchTheParentT8) {
  const std::uint64_t before = internal::counted(ProcessCounter::trace_state_refused);
  const Context context =
      extract(Headers{{"tracestate", "a=1"}, {"tracestate", "BAD"}, {"tracestate", "b=1"}, {"traceparent", kSpanText}});
  EXPECT_EQ(text_of(context.span().traceparent()), kSpanText);
  EXPECT_EQ(context.span().trace_state().header(), "");
  EXPECT_EQ(internal::counted(ProcessCounter::trace_state_refused), before + 1);
}

TEST(Extract, AThousandHostileHeadersAreBounded) {
  Headers headers{{"traceparent", kSpanText}};
  for (int i = 0; i < 1000; ++i) {
    headers.emplace_back("tracestate", "k" + std::to_string(i % 32) + "=" + std::string(200, 'v'));
    headers.emplace_back("baggage", "k" + std::to_string(i) + "=" + std::string(200, 'v'));
  }
  const Context context = extract(headers);
  EXPECT_TRUE(context.span().is_valid());
  EXPECT_LE(context.span().trace_state().header().size(), kTraceStateBytesMax);
  EXPECT_EQ(context.baggage().size(), 40U) << "of about 204 bytes and a comma each, in 8,192";
  EXPECT_FALSE(extract(Headers{{"traceparent", std::string(1 << 20, '0')}, {"tracestate", std::string(1 << 20, ',')}})
                   .span()
                   .is_valid());
}

TEST(Context, CarriesBaggageOverTwoHopsUnchanged) {
  const std::string sent = "user-region=eu%2Dwest;ttl=1,tier=gold";
  Headers hop{{"traceparent", kSpanText}, {"baggage", sent}};
  for (int i = 0; i < 2; ++i) {
    const Context context = child_of(extract(hop));
    hop.clear();
    inject(hop, context);
  }
  EXPECT_EQ(hop[1], (std::pair<std::string, std::string>("baggage", sent)));
  Headers without;
  inject(without, extract(hop).without_baggage());
  EXPECT_EQ(without.size(), 1U);
}

TEST(Environment, TakesTheParentsContextOver) {
  ::setenv("TRACEPARENT", kSpanText.c_str(), 1);
  ::setenv("TRACESTATE", "a=1", 1);
  ::setenv("BAGGAGE", "k=v", 1);
  const Context context = context_from_environment();
  EXPECT_EQ(text_of(context.span().traceparent()), kSpanText);
  EXPECT_TRUE(context.span().is_remote());
  EXPECT_EQ(context.span().trace_state().get("a"), "1");
  EXPECT_EQ(context.baggage().get("k"), "v");
  ::setenv("TRACEPARENT", "garbage", 1);
  EXPECT_FALSE(context_from_environment().span().is_valid());
  for (const char* name : {"TRACEPARENT", "TRACESTATE", "BAGGAGE"}) ::unsetenv(name);
  EXPECT_FALSE(context_from_environment().span().is_valid());
  EXPECT_EQ(context_from_environment().baggage().size(), 0U);
}

}  // namespace
}  // namespace honeylink::telemetry
