// OTLP over a real HTTP/2 connection against a collector that answers as it is told: every code of gRPC, RetryInfo,
// partial success, answers that are none (FAULTS F16-F18, F54, F55; C1-C9).
#include <gtest/gtest.h>

#include <mutex>

#include <protozero/pbf_builder.hpp>

#include "consent/testing_home.h"
#include "export/otlp_fields.h"
#include "export/sender.h"
#include "grpc_peer.h"

namespace honeylink::telemetry::exporting {
namespace {

using namespace std::chrono_literals;
using consent::Signal;
using interop::GrpcPeer;
using interop::PeerAnswer;
using interop::PeerRequest;
using protozero::pbf_builder;

std::string retry_info(std::int64_t seconds, std::int32_t nanos) {
  std::string bytes, info;
  {
    pbf_builder<otlp::RetryInfo> retry(info);
    pbf_builder<otlp::Duration> delay(retry, otlp::RetryInfo::retry_delay);
    delay.add_int64(otlp::Duration::seconds, seconds), delay.add_int32(otlp::Duration::nanos, nanos);
  }
  pbf_builder<otlp::RpcStatus> status(bytes);
  pbf_builder<otlp::Any> any(status, otlp::RpcStatus::details);
  any.add_string(otlp::Any::type_url, "type.googleapis.com/google.rpc.RetryInfo");
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

class OverGrpc : public testing::Test {
 protected:
  /// One request to a peer that answers so.
  Sent send(PeerAnswer answer, std::string_view request = "anything", Compression compression = Compression::none,
            Signal signal = Signal::traces) {
    {
      const std::lock_guard lock(mutex_);
      answer_ = std::move(answer);
    }
    if (sender_ == nullptr) {
      home_.grant(peer_.url(), {Signal::traces, Signal::logs, Signal::metrics});
      std::string why;
      sender_ = Sender::make(home_.permit(peer_.url(), signal), why, compression);
      EXPECT_NE(sender_, nullptr) << why;
    }
    return sender_->send(request);
  }
  PeerAnswer take(const PeerRequest& request) {
    const std::lock_guard lock(mutex_);
    last_ = request;
    ++requests_;
    return answer_;
  }

  consent::TestHome home_;
  std::mutex mutex_;
  PeerAnswer answer_;
  PeerRequest last_;
  std::atomic<int> requests_{0};
  GrpcPeer peer_{[this](const PeerRequest& request) { return take(request); }};
  std::unique_ptr<Sender> sender_;
};

TEST_F(OverGrpc, EveryOneOfSeventeenCodesIsTakenAsOtlpSays) {
  for (int code = 0; code <= 16; ++code) {
    const bool again = code == 1 || code == 4 || code == 10 || code == 11 || code == 14 || code == 15;
    const Verdict expected = code == 0   ? Verdict::delivered
                             : again     ? Verdict::retry
                             : code == 8 ? Verdict::split
                                         : Verdict::refused;
    PeerAnswer answer;
    answer.grpc_status = code, answer.grpc_message = "because%20%E2%80%9Cso%E2%80%9D%0A";
    const Sent sent = send(answer);
    EXPECT_EQ(sent.outcome.verdict, expected) << code;
    const std::string said = code == 0 ? std::string() : grpc_code_name(code) + ": because “so”";
    EXPECT_TRUE(sent.outcome.words.starts_with(said)) << sent.outcome.words;
    EXPECT_EQ(sent.outcome.words.find('\n'), std::string::npos);
  }
  EXPECT_EQ(requests_, 17) << "each was asked once";
}

TEST_F(OverGrpc, RetryInfoComesThroughTheTrailers) {
  PeerAnswer answer;
  answer.details = retry_info(2, 500'000'000);
  for (const int code : {8, 14}) {
    answer.grpc_status = code;
    const Sent sent = send(answer);
    EXPECT_EQ(sent.outcome.verdict, Verdict::retry) << code;
    EXPECT_EQ(sent.outcome.wait_ns, 2'500'000'000) << code;
  }
  answer.details = "\xff\xff\xff no status at all", answer.grpc_status = 8;
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::split);
}

TEST_F(OverGrpc, APartialSuccessIsDeliveredCountedAndSaidInOneLine) {
  PeerAnswer answer;
  answer.message = partial_success(7, "seven\nare \x1b[31mtoo old");
  const Sent sent = send(answer);
  EXPECT_EQ(sent.outcome.verdict, Verdict::delivered);
  EXPECT_EQ(sent.outcome.rejected, 7U);
  EXPECT_EQ(sent.outcome.words.find('\n'), std::string::npos);
  EXPECT_EQ(sent.outcome.words.find('\x1b'), std::string::npos);
  answer.message = partial_success(0, "deprecated");
  const Sent warned = send(answer);
  EXPECT_EQ(warned.outcome.rejected, 0U);
  EXPECT_EQ(warned.outcome.words, "deprecated");
}

TEST_F(OverGrpc, AnAnswerOf100MegabytesIsNotRead) {
  PeerAnswer answer;
  answer.endless_bytes = 100'000'000;
  const auto begin = std::chrono::steady_clock::now();
  const Sent sent = send(answer);
  EXPECT_EQ(sent.outcome.verdict, Verdict::retry);
  EXPECT_NE(sent.outcome.words.find("larger than 4194304 bytes"), std::string::npos) << sent.outcome.words;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_EQ(send({}).outcome.verdict, Verdict::delivered) << "and the next one is delivered";
}

TEST_F(OverGrpc, AnswersThatAreNoneAreTriedAgain) {
  PeerAnswer answer;
  answer.grpc_status = -1;
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::retry) << "no grpc-status";
  answer = {}, answer.resets = true;
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::retry) << "a stream that is reset";
  answer = {}, answer.hangs_up = true;
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::retry) << "a connection that ends";
  answer = {}, answer.garbage = std::string(5000, '\x7f');
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::retry) << "garbage in place of HTTP/2";
  answer = {}, answer.message = std::string(3000, '\xff');
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::delivered) << "garbage in a success is one all the same";
  for (const int status : {429, 502, 503, 504}) {
    answer = {}, answer.http_status = status, answer.headers = {{"retry-after", "3"}};
    const Sent sent = send(answer);
    EXPECT_EQ(sent.outcome.verdict, Verdict::retry) << status;
    EXPECT_EQ(sent.outcome.wait_ns, 3'000'000'000) << status;
  }
  answer = {}, answer.http_status = 400;
  EXPECT_EQ(send(answer).outcome.verdict, Verdict::refused) << "a proxy's 400";
}

TEST_F(OverGrpc, ASilentPeerIsLeftAfterTenSeconds) {
  PeerAnswer answer;
  answer.silent = true;
  const auto begin = std::chrono::steady_clock::now();
  const Sent sent = send(answer);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(sent.outcome.verdict, Verdict::retry);
  EXPECT_EQ(sent.failure, net::Failure::timed_out);
  EXPECT_GE(took, 9900ms);
  EXPECT_LT(took, 12s);
}

TEST_F(OverGrpc, EachSignalGoesToItsServiceAndSaysWhoItIs) {
  const std::pair<Signal, std::string> services[] = {
      {Signal::traces, "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
      {Signal::logs, "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
      {Signal::metrics, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"}};
  for (const auto& [signal, path] : services) {
    sender_.reset();
    EXPECT_EQ(send({}, "x", Compression::none, signal).outcome.verdict, Verdict::delivered);
    EXPECT_EQ(last_.path, path);
    EXPECT_EQ(last_.message, "x");
    EXPECT_TRUE(last_.sound);
    EXPECT_EQ(last_.headers["content-type"], "application/grpc");
    EXPECT_EQ(last_.headers["te"], "trailers");
    EXPECT_TRUE(last_.headers["user-agent"].starts_with("honeylink-telemetry/")) << last_.headers["user-agent"];
  }
}

TEST_F(OverGrpc, WhatIsTooLargeIsNotSentAtAll) {
  const std::string large(kRequestBytesMax + 1, 'x');
  EXPECT_EQ(send({}, large).outcome.verdict, Verdict::split);
  sender_.reset();
  EXPECT_EQ(send({}, large, Compression::gzip).outcome.verdict, Verdict::split)
      << "though it would be small when packed";
  EXPECT_EQ(requests_, 0);
}

TEST_F(OverGrpc, PackedRequestsAreWhatWasPackedAndSmallOnesGoAsTheyAre) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "span " + std::to_string(i) + " of service link;";
  EXPECT_EQ(send({}, text, Compression::gzip).outcome.verdict, Verdict::delivered);
  EXPECT_TRUE(last_.sound);
  EXPECT_EQ(last_.headers["grpc-encoding"], "gzip");
  EXPECT_EQ(last_.message, text);
  EXPECT_LT(last_.wire_bytes, text.size() / 3);
  EXPECT_EQ(send({}, "small").outcome.verdict, Verdict::delivered);
  EXPECT_EQ(last_.headers.count("grpc-encoding"), 0U);
  EXPECT_EQ(last_.message, "small");
}

TEST_F(OverGrpc, NothingIsPackedForThisDeviceUnlessAsked) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(send({}, text, Compression::automatic).outcome.verdict, Verdict::delivered);
  EXPECT_EQ(last_.headers.count("grpc-encoding"), 0U);
}

TEST_F(OverGrpc, APeerWithoutGzipIsSentTheSameAgainAsItIs) {
  sender_.reset();
  const std::string text(100'000, 'x');
  GrpcPeer peer([this](const PeerRequest& request) {
    PeerAnswer answer;
    ++requests_;
    if (request.headers.contains("grpc-encoding")) {
      answer.grpc_status = 12;
      answer.grpc_message = "grpc: Decompressor is not installed for grpc-encoding \"gzip\"";
    }
    last_ = request;
    return answer;
  });
  home_.grant(peer.url(), {Signal::traces});
  std::string why;
  const auto sender = Sender::make(home_.permit(peer.url(), Signal::traces), why, Compression::gzip);
  EXPECT_EQ(sender->send(text).outcome.verdict, Verdict::delivered);
  EXPECT_EQ(last_.message, text);
  EXPECT_EQ(requests_, 2);
  EXPECT_EQ(sender->send(text).outcome.verdict, Verdict::delivered);
  EXPECT_EQ(requests_, 3) << "it is remembered";
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
