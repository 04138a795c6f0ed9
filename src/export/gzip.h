// Requests made smaller before they leave (OTLP rule C9). zlib is opened when the first sender wants it and never
// before, as libcurl is (decision 0014), which brings it along. One owner, the thread that sends.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace honeylink::telemetry::exporting {

/// Smaller requests go as they are: there is little to gain.
inline constexpr std::size_t kGzipBytesMin = 1024;

class Gzip {
 public:
  /// nullptr where there is no zlib.
  [[nodiscard]] static std::unique_ptr<Gzip> make();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  /// Appends `bytes` as one gzip member. False: nothing was appended, or it came out no smaller.
  [[nodiscard]] bool pack(std::string_view bytes, std::string& to);

 private:
  struct State;
  explicit Gzip(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace honeylink::telemetry::exporting
