#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "apps/assetronics/web/channels/channels.hpp"

namespace assetronics::testing {
namespace {

TEST(ChannelTypes, what_the_pages_are_compiled_with_is_what_the_program_prints) {
    std::ifstream file(ASSETRONICS_CHANNELS);
    ASSERT_TRUE(file) << ASSETRONICS_CHANNELS;
    std::ostringstream committed;
    committed << file.rdbuf();
    EXPECT_EQ(committed.str(), web::channel_types())
        << "write it anew: assetronics types >apps/assetronics/assets/src/channels.ts";
}

}  // namespace
}  // namespace assetronics::testing
