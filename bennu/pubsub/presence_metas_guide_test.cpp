// The hook that docs/guide/channels.md shows.
#include <gtest/gtest.h>

#include "bennu/pubsub/presence_metas.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::presence_metas_guide_test {

using namespace std::chrono_literals;

struct Viewer {
    std::string name;
};
BENNU_RECORD(Viewer, name)

namespace {

std::map<std::string, std::string> last_seen;

Task<Result<>> note_last_seen(Topic, std::vector<presence::Changed<Viewer>> changes) {
    for (const presence::Changed<Viewer>& one : changes) {
        // Other tabs of the same person may still be there.
        if (one.metas.empty()) last_seen[one.key] = one.leaves.back().name;
    }
    co_return {};
}

}  // namespace

TEST(PresenceMetas, the_hook_of_the_guide_notes_whose_last_tab_is_gone) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        presence::handle_metas_with("assets:*", &note_last_seen);
        auto tab = presence::track("assets:demo", "7", Viewer{"Ada"});
        auto other = presence::track("assets:demo", "7", Viewer{"Ada L."});
        co_await bennu::sleep(100ms);
        tab.untrack();
        co_await bennu::sleep(100ms);
        EXPECT_TRUE(last_seen.empty());
        other.untrack();
        co_await bennu::sleep(100ms);
        EXPECT_EQ(last_seen, (std::map<std::string, std::string>{{"7", "Ada L."}}));
        co_return {};
    });
    last_seen.clear();
}

}  // namespace bennu::presence_metas_guide_test
