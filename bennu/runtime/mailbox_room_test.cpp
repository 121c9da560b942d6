#include "bennu/runtime/mailbox_room.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::mailbox_room_test {

struct Small : Server {
    static constexpr MailboxOptions mailbox{.limit = 3, .overflow = Overflow::reject};
    struct Fill {
        using Reply = std::vector<std::uint32_t>;
    };
    struct Item {};
    std::vector<std::uint32_t> handle(Fill) {
        std::vector<std::uint32_t> room{mailbox_room()};
        for (int i = 0; i < 4; ++i) {
            cast(Ref<Small>(self()), Item{});
            room.push_back(mailbox_room());
        }
        return room;
    }
    void handle(Item) {}
};

TEST(MailboxRoom, is_what_still_gets_in) {
    auto outcome = simulate({.shards = 1}, []() -> Task<Result<>> {
        auto small = spawn<Small>();
        const auto room = co_await call(small, Small::Fill{});
        EXPECT_EQ(room, (std::vector<std::uint32_t>{3, 2, 1, 0, 0}));
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
}

}  // namespace bennu::mailbox_room_test
