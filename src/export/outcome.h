// What a collector's answer means for a batch: OTLP's rules of retry ("OTLP/gRPC Response", "OTLP/HTTP Response",
// "Failures", "Throttling"; FAULTS C1-C8, H1-H4), read out of hostile bytes. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace honeylink::telemetry::exporting {

enum class Verdict : std::uint8_t {
  delivered,  // whole, or partly with `rejected` items that must not be sent again
  retry,      // the same again, not before `wait_ns` (0: by back-off)
  split,      // too large: halve and send once more
  refused,    // never again
};

struct Outcome {
  Verdict verdict = Verdict::refused;
  std::int64_t wait_ns = 0;
  std::uint64_t rejected = 0;  // of a partial success
  std::string words;           // what the peer said, fit for a log; may be empty where it delivered
};

/// The longest wait that a server may ask for.
inline constexpr std::int64_t kServerWaitNsMax = 600'000'000'000;
/// Answers larger than this are not read (C8).
inline constexpr std::size_t kAnswerBytesMax = 4U << 20;

/// A finished gRPC call. `code`: grpc-status, or -1 where none came; `details`: grpc-status-details-bin, decoded;
/// `body`: the message without its 5-byte prefix.
[[nodiscard]] Outcome outcome_of_grpc(int code, std::string_view message, std::string_view details,
                                      std::string_view body);
/// A finished HTTP exchange. `retry_after`: the header's value or empty; `now_unix_s` for its date form.
[[nodiscard]] Outcome outcome_of_http(int status, std::string_view retry_after, std::string_view body,
                                      std::int64_t now_unix_s);
/// No answer: connection refused, reset, timed out.
[[nodiscard]] Outcome outcome_of_no_answer(std::string why);

/// "OK", "CANCELLED", …; "code 42" beyond 16.
[[nodiscard]] std::string grpc_code_name(int code);

}  // namespace honeylink::telemetry::exporting
