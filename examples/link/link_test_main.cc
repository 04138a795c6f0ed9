// gtest's main, but the children of run_link are this program again.
#include <gtest/gtest.h>

#include "link.h"

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == honeylink::link::kChildCommand) return honeylink::link::link_child_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
