// OTLP's rules of retry, one by one (FAULTS C1-C8, H1-H4), and answers that are none.
#include "export/outcome.h"

#include <gtest/gtest.h>

#include <protozero/pbf_builder.hpp>
#include <random>

#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using protozero::pbf_builder;

std::string status_with_retry_info(std::int64_t seconds, std::int32_t nanos) {
  std::string bytes;
  pbf_builder<otlp::RpcStatus> status(bytes);
  status.add_int32(otlp::RpcStatus::code, 14);
  {
    pbf_builder<otlp::Any> other(status, otlp::RpcStatus::details);
    other.add_string(otlp::Any::type_url, "type.googleapis.com/google.rpc.DebugInfo");
    other.add_bytes(otlp::Any::value, "\x0a\x01x", 3);
  }
  pbf_builder<otlp::Any> any(status, otlp::RpcStatus::details);
  any.add_string(otlp::Any::type_url, "type.googleapis.com/google.rpc.RetryInfo");
  std::string info;
  {
    pbf_builder<otlp::RetryInfo> retry(info);
    pbf_builder<otlp::Duration> delay(retry, otlp::RetryInfo::retry_delay);
    delay.add_int64(otlp::Duration::seconds, seconds);
    delay.add_int32(otlp::Duration::nanos, nanos);
  }
  any.add_bytes(otlp::Any::value, info);
  return bytes;
}

std::string partial_success(std::int64_t rejected, const std::string& words) {
  std::string bytes;
  pbf_builder<otlp::Response> response(bytes);
  pbf_builder<otlp::PartialSuccess> partial(response, otlp::Response::partial_success);
  partial.add_int64(otlp::PartialSuccess::rejected, rejected);
  partial.add_string(otlp::PartialSuccess::error_message, words);
  return bytes;
}

TEST(GrpcOutcome, EachOfSeventeenCodesIsRetriedOrRefusedAsOtlpSays) {
  const std::array<Verdict, 17> expected{
      Verdict::delivered,                                      // OK
      Verdict::retry,                                          // CANCELLED
      Verdict::refused,   Verdict::refused,                    // UNKNOWN, INVALID_ARGUMENT
      Verdict::retry,                                          // DEADLINE_EXCEEDED
      Verdict::refused,   Verdict::refused, Verdict::refused,  // NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED
      Verdict::split,                                          // RESOURCE_EXHAUSTED without RetryInfo
      Verdict::refused,                                        // FAILED_PRECONDITION
      Verdict::retry,     Verdict::retry,                      // ABORTED, OUT_OF_RANGE
      Verdict::refused,   Verdict::refused,                    // UNIMPLEMENTED, INTERNAL
      Verdict::retry,     Verdict::retry,                      // UNAVAILABLE, DATA_LOSS
      Verdict::refused,                                        // UNAUTHENTICATED
  };
  for (int code = 0; code < 17; ++code)
    EXPECT_EQ(outcome_of_grpc(code, "", "", "").verdict, expected[static_cast<std::size_t>(code)])
        << grpc_code_name(code);
  EXPECT_EQ(outcome_of_grpc(99, "", "", "").verdict, Verdict::refused);
  EXPECT_EQ(outcome_of_grpc(-1, "", "", "").verdict, Verdict::retry) << "a call without a status is a failure";
}

TEST(GrpcOutcome, ExhaustedWithRetryInfoIsABusyServerAndWaitsAsLongAsItAsks) {
  const Outcome outcome = outcome_of_grpc(8, "slow down", status_with_retry_info(2, 500'000'000), "");
  EXPECT_EQ(outcome.verdict, Verdict::retry);
  EXPECT_EQ(outcome.wait_ns, 2'500'000'000);
  EXPECT_EQ(outcome.words, "RESOURCE_EXHAUSTED: slow down");
}

TEST(GrpcOutcome, RetryInfoOfNothingOrLessIsNone) {
  EXPECT_EQ(outcome_of_grpc(8, "", status_with_retry_info(0, 0), "").verdict, Verdict::split);
  EXPECT_EQ(outcome_of_grpc(14, "", status_with_retry_info(-5, 0), "").wait_ns, 0);
  EXPECT_EQ(outcome_of_grpc(14, "", status_with_retry_info(1, -7), "").wait_ns, 1'000'000'000);
}

TEST(GrpcOutcome, NoServerMayAskForMoreThanTenMinutes) {
  EXPECT_EQ(outcome_of_grpc(14, "", status_with_retry_info(INT64_MAX, 999'999'999), "").wait_ns, kServerWaitNsMax);
  EXPECT_EQ(outcome_of_grpc(14, "", status_with_retry_info(601, 0), "").wait_ns, kServerWaitNsMax);
}

TEST(GrpcOutcome, RetryInfoDoesNotMakeARefusalARetry) {
  EXPECT_EQ(outcome_of_grpc(3, "", status_with_retry_info(1, 0), "").verdict, Verdict::refused);
}

TEST(GrpcOutcome, APartialSuccessIsDeliveredAndSaysWhatWasRejected) {
  const Outcome outcome = outcome_of_grpc(0, "", "", partial_success(7, "seven\nare \x1b[31mtoo old"));
  EXPECT_EQ(outcome.verdict, Verdict::delivered);
  EXPECT_EQ(outcome.rejected, 7U);
  EXPECT_EQ(outcome.words.find('\n'), std::string::npos);
  EXPECT_EQ(outcome.words.find('\x1b'), std::string::npos);
  const Outcome warning = outcome_of_grpc(0, "", "", partial_success(0, "deprecated"));
  EXPECT_EQ(warning.rejected, 0U);
  EXPECT_EQ(warning.words, "deprecated");
  EXPECT_EQ(outcome_of_grpc(0, "", "", partial_success(-3, "")).rejected, 0U);
}

TEST(GrpcOutcome, GarbageInDetailsAndBodyIsSurvived) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string details = status_with_retry_info(2, 5), body = partial_success(7, "words");
  for (int i = 0; i < 20'000; ++i) {
    std::string a = details, b = body;
    for (int n = 0; n < 3; ++n) {
      a[random() % a.size()] = static_cast<char>(random());
      b[random() % b.size()] = static_cast<char>(random());
    }
    a.resize(random() % (a.size() + 1)), b.resize(random() % (b.size() + 1));
    const Outcome busy = outcome_of_grpc(8, a, a, b);
    EXPECT_GE(busy.wait_ns, 0);
    EXPECT_LE(busy.wait_ns, kServerWaitNsMax);
    EXPECT_EQ(outcome_of_grpc(0, "", "", b).verdict, Verdict::delivered);
  }
}

TEST(HttpOutcome, OnlyFourStatusesAreRetried) {
  for (int status = 300; status < 600; ++status) {
    const bool again = status == 429 || status == 502 || status == 503 || status == 504;
    const Verdict expected = again ? Verdict::retry : status == 413 ? Verdict::split : Verdict::refused;
    EXPECT_EQ(outcome_of_http(status, "", "", 0).verdict, expected) << status;
  }
  EXPECT_EQ(outcome_of_http(200, "", "", 0).verdict, Verdict::delivered);
}

TEST(HttpOutcome, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(outcome_of_http(503, "3", "", 0).wait_ns, 3'000'000'000);
  EXPECT_EQ(outcome_of_http(429, "Thu, 01 Jan 1970 00:01:40 GMT", "", 40).wait_ns, 60'000'000'000);
  EXPECT_EQ(outcome_of_http(429, "Thu, 01 Jan 1970 00:01:40 GMT", "", 400).wait_ns, 0) << "it has passed";
  for (const char* nonsense : {"", "soon", "-4", "3s", "Thu, 01 Jan 1970", "99999999999999999999999"})
    EXPECT_EQ(outcome_of_http(503, nonsense, "", 0).wait_ns, 0) << nonsense;
  EXPECT_EQ(outcome_of_http(503, "86400", "", 0).wait_ns, kServerWaitNsMax);
  EXPECT_EQ(outcome_of_http(400, "3", "", 0).wait_ns, 0);
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
