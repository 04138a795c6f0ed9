// A real terminal, taken for a while and given back. The only room of ncurses: what is shown is a Grid
// (terminal_cells.h), what comes is Keys (terminal_input.h). One at a time; the thread that opened it.
//
// Must stay true: whatever way the process ends, the terminal has its modes, its cursor and its own screen again
// (terminal_signals.h does it after a crash).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "query/problem.h"
#include "view/terminal_cells.h"
#include "view/terminal_input.h"

namespace honeylink::telemetry::view {

class Screen {
 public:
  /// Of stdin and stdout. The locale's character set is taken over; `look.utf8` says what the grids will hold.
  [[nodiscard]] static query::Answer<std::unique_ptr<Screen>> open(bool colour, Look look);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] Size size() const noexcept { return size_; }
  /// Writes what differs from the screen before.
  void show(const Grid& grid);
  /// nullopt: no key waits.
  [[nodiscard]] std::optional<Key> read_key();
  /// Hands text to the terminal's clipboard (OSC 52), where its kind is known not to print that. Whether it was taken
  /// nobody says.
  void copy(std::string_view text);
  /// The terminal became larger or smaller.
  void resize();
  /// Gives the terminal back until `resume`.
  void leave();
  void resume();

 private:
  Screen() = default;
  void put_row(const Grid& grid, std::size_t row);
  Size size_;
  std::unique_ptr<Grid> shown_;
  std::string form_;  // TERM
  bool away_ = true;
};

}  // namespace honeylink::telemetry::view
