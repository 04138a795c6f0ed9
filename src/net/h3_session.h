// HTTP/3 of one connection, by nghttp3: requests become frames, frames become answers. Of QUIC it knows what H3Wire
// says, so that its test needs no network. One thread.
//
// Must stay true: a request's bytes live until its stream is closed, not until its answer is there: QUIC may have to
// send them again.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "net/client.h"
#include "net/quic_library.h"

namespace honeylink::telemetry::net {

/// What HTTP/3 asks of QUIC.
class H3Wire {
 public:
  [[nodiscard]] virtual bool open_uni(std::int64_t& stream) = 0;
  /// So many bytes of a stream were read: the peer may send as many more.
  virtual void consumed(std::int64_t stream, std::size_t bytes) = 0;
  virtual void stop_reading(std::int64_t stream, std::uint64_t code) = 0;
  virtual void stop_writing(std::int64_t stream, std::uint64_t code) = 0;

 protected:
  ~H3Wire() = default;
};

using H3Fields = std::vector<std::pair<std::string, std::string>>;

struct H3Exchange {
  std::int64_t stream = -1;
  std::string body;  // of the request
  Answer answer;
  bool done = false;      // the whole answer is there
  bool ended = false;     // its stream is closed; before it was done: nothing more comes
  bool too_much = false;  // the answer is larger than allowed
  bool sent = false;      // QUIC has taken the whole request
  std::uint64_t code = 0;
  std::size_t header_bytes = 0;
};

class H3Session {
 public:
  H3Session(const Quic& quic, H3Wire& wire, std::size_t answer_bytes_max);
  ~H3Session();
  H3Session(const H3Session&) = delete;
  H3Session& operator=(const H3Session&) = delete;

  /// Opens the streams that belong to the connection.
  [[nodiscard]] bool start();
  /// A request on a stream that was just opened; nullptr: it cannot be taken. `fields`: pseudo fields first.
  [[nodiscard]] std::shared_ptr<H3Exchange> submit(std::int64_t stream, const H3Fields& fields, std::string_view body,
                                                   bool has_body);
  /// The peer takes no more requests on this connection.
  [[nodiscard]] bool going_away() const noexcept { return going_away_; }

  // What comes from QUIC. read() and acked() answer 0, or the code with which the connection is to be closed.
  [[nodiscard]] std::uint64_t read(std::int64_t stream, std::span<const std::uint8_t> bytes, bool fin);
  [[nodiscard]] std::uint64_t acked(std::int64_t stream, std::uint64_t bytes);
  void closed(std::int64_t stream, std::uint64_t code);
  void reset_by_peer(std::int64_t stream);
  void stopped_by_peer(std::int64_t stream);
  void unblocked(std::int64_t stream);

  // What goes to QUIC.
  struct Outgoing {
    std::int64_t stream = -1;  // -1: nothing
    bool fin = false;
    std::array<nghttp3_vec, 16> parts{};
    std::size_t count = 0;
  };
  [[nodiscard]] bool next(Outgoing& to);
  void wrote(const Outgoing& what, std::size_t bytes);
  void blocked(std::int64_t stream);
  /// The answer came before QUIC had taken all of the request: the rest is not sent.
  void leave(const H3Exchange& exchange);

 private:
  [[nodiscard]] nghttp3_callbacks callbacks() const noexcept;
  bool too_much(H3Exchange& exchange) const noexcept;
  static int take_header(nghttp3_conn*, std::int64_t, std::int32_t token, nghttp3_rcbuf* name, nghttp3_rcbuf* value,
                         std::uint8_t, void* self, void* exchange) noexcept;
  static int take_data(nghttp3_conn*, std::int64_t stream, const std::uint8_t* data, std::size_t size, void* self,
                       void* exchange) noexcept;
  static int take_end(nghttp3_conn*, std::int64_t stream, std::uint64_t code, void* self, void* exchange) noexcept;

  const Quic& quic_;
  H3Wire& wire_;
  const std::size_t answer_bytes_max_;
  nghttp3_conn* http_ = nullptr;
  bool going_away_ = false;
  std::map<std::int64_t, std::shared_ptr<H3Exchange>> exchanges_;  // until their streams are closed
};

}  // namespace honeylink::telemetry::net
