// Keys change where the reader stands; findings change what stands there. The same keys as the page's (UX 13). Pure;
// the thread that draws.
#pragma once
#include <cstdint>
#include <string>

#include "view/terminal_cells.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

enum class KeyName : std::uint8_t { none, up, down, left, right, enter, escape, page_up, page_down, home, end, erase };
struct Key {
  KeyName name = KeyName::none;
  char32_t letter = 0;  // where the name is none
};

/// What a key asks for beyond the state.
struct KeyEffect {
  std::string copy;  // to the clipboard
};
KeyEffect press(Model& model, const Key& key, Size size);

/// Takes what was found: a selected trace, alert, level or log line stays selected though its place changed.
void adopt(Model& model, Findings fresh);

/// The rows that the page's list has.
[[nodiscard]] std::size_t list_size(const Model& model);
/// Keeps selection and scroll within what there is and what the screen shows. After every press and adopt.
void settle(Model& model, Size size);

}  // namespace honeylink::telemetry::view
