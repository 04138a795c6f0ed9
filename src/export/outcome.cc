// See outcome.h.
#include "export/outcome.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <protozero/pbf_message.hpp>

#include "base/text.h"
#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using protozero::pbf_message;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

// protozero reads a field as whatever it is asked for; that it is of that type is for the caller to check.
constexpr auto kBytes = pbf_wire_type::length_delimited;
constexpr auto kVarint = pbf_wire_type::varint;

constexpr std::size_t kWordsMax = 256;
constexpr std::int64_t kSecondNs = 1'000'000'000;

enum GrpcCode : int {
  kOk = 0,
  kCancelled = 1,
  kDeadlineExceeded = 4,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnavailable = 14,
  kDataLoss = 15
};

// The peer's words are hostile text: one line, valid UTF-8, bounded (F18).
std::string fit_for_a_log(std::string_view text) { return terminal_safe(text.substr(0, utf8_cut(text, kWordsMax))); }

std::int64_t bounded_wait(std::int64_t seconds, std::int64_t nanos) noexcept {
  if (seconds < 0 || (seconds == 0 && nanos <= 0)) return 0;
  if (seconds >= kServerWaitNsMax / kSecondNs) return kServerWaitNsMax;
  if (nanos < 0 || nanos >= kSecondNs) nanos = 0;
  return seconds * kSecondNs + nanos;
}

std::int64_t read_duration(pbf_message<otlp::Duration> duration) {
  std::int64_t seconds = 0, nanos = 0;
  while (duration.next()) {
    switch (duration.tag_and_type()) {
      case tag_and_type(otlp::Duration::seconds, kVarint):
        seconds = duration.get_int64();
        break;
      case tag_and_type(otlp::Duration::nanos, kVarint):
        nanos = duration.get_int32();
        break;
      default:
        duration.skip();
    }
  }
  return bounded_wait(seconds, nanos);
}

// RetryInfo.retry_delay of a google.rpc.Status; 0: there is none, or it asks for nothing (C4).
std::int64_t retry_delay_of(std::string_view details) try {
  pbf_message<otlp::RpcStatus> status(details.data(), details.size());
  while (status.next(otlp::RpcStatus::details, kBytes)) {
    pbf_message<otlp::Any> any = status.get_message();
    std::string type;
    protozero::data_view value;
    while (any.next()) {
      switch (any.tag_and_type()) {
        case tag_and_type(otlp::Any::type_url, kBytes):
          type = any.get_string();
          break;
        case tag_and_type(otlp::Any::value, kBytes):
          value = any.get_view();
          break;
        default:
          any.skip();
      }
    }
    if (!type.ends_with("google.rpc.RetryInfo")) continue;
    pbf_message<otlp::RetryInfo> info(value);
    if (info.next(otlp::RetryInfo::retry_delay, kBytes)) return read_duration(info.get_message());
  }
  return 0;
} catch (const protozero::exception&) { return 0; }

// C6, C7: a partial success is a success; what was rejected is never sent again.
Outcome delivered(std::string_view body) {
  Outcome outcome{Verdict::delivered, 0, 0, {}};
  try {
    pbf_message<otlp::Response> response(body.data(), body.size());
    while (response.next(otlp::Response::partial_success, kBytes)) {
      pbf_message<otlp::PartialSuccess> partial = response.get_message();
      while (partial.next()) {
        switch (partial.tag_and_type()) {
          case tag_and_type(otlp::PartialSuccess::rejected, kVarint):
            outcome.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(partial.get_int64(), 0));
            break;
          case tag_and_type(otlp::PartialSuccess::error_message, kBytes):
            outcome.words = fit_for_a_log(partial.get_string());
            break;
          default:
            partial.skip();
        }
      }
    }
  } catch (const protozero::exception&) {
    outcome.words = "the answer is no OTLP message";  // it said success all the same
  }
  return outcome;
}

std::int64_t read_retry_after(std::string_view text, std::int64_t now_unix_s) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) return bounded_wait(seconds, 0);
  std::tm date{};
  const std::string terminated(text);  // `rest` points into it
  const char* rest = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return 0;
  return bounded_wait(static_cast<std::int64_t>(::timegm(&date)) - now_unix_s, 0);
}

}  // namespace

std::string grpc_code_name(int code) {
  constexpr std::array<const char*, 17> kNames{
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code < 17 ? kNames[static_cast<std::size_t>(code)] : "code " + std::to_string(code);
}

Outcome outcome_of_grpc(int code, std::string_view message, std::string_view details, std::string_view body) {
  if (code == kOk) return delivered(body);
  if (code < 0) return outcome_of_no_answer("the server ended the call without a grpc-status");
  Outcome outcome{Verdict::refused, retry_delay_of(details), 0, grpc_code_name(code)};
  if (!message.empty()) outcome.words += ": " + fit_for_a_log(message);
  switch (code) {
    case kCancelled:
    case kDeadlineExceeded:
    case kAborted:
    case kOutOfRange:
    case kUnavailable:
    case kDataLoss:
      outcome.verdict = Verdict::retry;
      break;
    case kResourceExhausted:  // C3: with RetryInfo it is a busy server; without, the message was too large
      outcome.verdict = outcome.wait_ns > 0 ? Verdict::retry : Verdict::split;
      break;
    default:
      break;
  }
  return outcome;
}

Outcome outcome_of_http(int status, std::string_view retry_after, std::string_view body, std::int64_t now_unix_s) {
  if (status >= 200 && status < 300) return delivered(body);
  Outcome outcome{Verdict::refused, 0, 0, "HTTP " + std::to_string(status)};
  if (status == 413) outcome.verdict = Verdict::split;
  if (status == 429 || status == 502 || status == 503 || status == 504) {
    outcome.verdict = Verdict::retry;
    outcome.wait_ns = read_retry_after(retry_after, now_unix_s);
  }
  return outcome;
}

Outcome outcome_of_no_answer(std::string why) { return {Verdict::retry, 0, 0, std::move(why)}; }

}  // namespace honeylink::telemetry::exporting
