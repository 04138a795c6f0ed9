// The page: the four files of web/, built, compressed and linked into the program. Nothing else is a file: a path is
// compared with these names, never opened (F30). Constant; any thread.
#pragma once
#include "view/message.h"

namespace honeylink::telemetry::view {

/// 404 for what is not one of them.
[[nodiscard]] Response asset_response(const Request& request);

}  // namespace honeylink::telemetry::view
