// Where clients wait: one thread that accepts connections and gathers what they send until a request is whole. Nobody
// who is slow, silent or many holds a thread or keeps others waiting; every bound is here.
//
// Made and stopped by one thread; give_back() may be called from any.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/file.h"
#include "view/http_head.h"

namespace honeylink::telemetry::view {

inline constexpr std::size_t kConnectionsMax = 64;               // beyond: who has waited longest is let go
inline constexpr std::chrono::milliseconds kRequestTime{5'000};  // from the first byte to the last
inline constexpr std::chrono::milliseconds kIdleTime{15'000};    // between two requests of a connection

/// A request that is whole, or wrong: then `error` says how it is answered, and the connection ends.
struct Arrival {
  Fd socket;
  std::string bytes;  // from the request's first; what follows `request_bytes` belongs to the next
  std::size_t head_bytes = 0, request_bytes = 0;
  std::optional<HttpError> error;
};

class Reception {
 public:
  /// `arrived` is called on the reception's thread and must not wait.
  Reception(Fd listener, std::function<void(Arrival)> arrived);
  ~Reception() { stop(); }
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  /// Nothing arrives after this; what is given back is closed.
  void stop();
  /// After an answer: the next request of this connection, which `rest` begins.
  void give_back(Fd socket, std::string rest);
  /// After the last answer: the client may still be sending; closed at once, it would not read what it was told.
  void let_go(Fd socket);

 private:
  struct State;
  struct EndState {
    void operator()(State* state) const noexcept;
  };
  std::unique_ptr<State, EndState> state_;
};

}  // namespace honeylink::telemetry::view
