// A model and a size make a screen: the only door to the pages' drawing. Pure; one thread. Any size is drawn, from
// 1×1 up; nothing here looks at a clock, a file or a terminal.
#pragma once
#include "view/terminal_cells.h"
#include "view/terminal_model.h"

namespace honeylink::telemetry::view {

[[nodiscard]] Grid draw_view(const Model& model, Size size, Look look);
/// The rows that a page's list has on a screen of this size: what a page up or down moves by.
[[nodiscard]] std::size_t list_rows(const Model& model, Size size) noexcept;

}  // namespace honeylink::telemetry::view
