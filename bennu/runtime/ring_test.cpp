#include "bennu/runtime/ring.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace bennu {
namespace ring_tests {

using detail::Boxed;
using detail::Envelope;
using detail::MessageType;
using detail::Ring;

/// Not trivial: every one of them has to be destroyed once.
struct Counted {
    std::uint64_t number;
    std::shared_ptr<int> alive;
};

template <typename M>
constexpr MessageType type_of{.run = nullptr,
                              .destroy = &Boxed<M>::destroy,
                              .move = &Boxed<M>::move,
                              .size = sizeof(M),
                              .system = false,
                              .name = "test",
                              .trivial = Boxed<M>::trivial};

template <typename M>
void push(Ring& ring, M message) {
    Envelope envelope;
    envelope.type = &type_of<M>;
    Boxed<M>::make(envelope.payload, std::move(message));
    ring.push(envelope);
}

template <typename M>
std::vector<std::uint64_t> pull(Ring& ring) {
    std::vector<std::uint64_t> numbers;
    ring.pull([&](Envelope& envelope) {
        numbers.push_back(Boxed<M>::get(envelope.payload).number);
        envelope.type->destroy(envelope.payload);
    });
    return numbers;
}

struct Plain {
    std::uint64_t number;
    std::uint64_t more[3];
};

TEST(Ring, ShowsPortionsAtOnceAndTheRestWhenPublished) {
    Ring ring;
    for (std::uint64_t i = 0; i < 20; ++i) push(ring, Plain{i, {}});
    EXPECT_EQ(pull<Plain>(ring).size(), 16U);
    EXPECT_TRUE(ring.empty());
    EXPECT_TRUE(ring.publish());
    EXPECT_EQ(pull<Plain>(ring), (std::vector<std::uint64_t>{16, 17, 18, 19}));
    EXPECT_FALSE(ring.publish());
}

TEST(Ring, SaysThatThereIsSomethingNewEvenIfPortionsHaveShownItAll) {
    Ring ring;
    for (std::uint64_t i = 0; i < 16; ++i) push(ring, Plain{i, {}});
    EXPECT_FALSE(ring.empty());
    EXPECT_TRUE(ring.publish());  // or nobody would wake the reader
    EXPECT_FALSE(ring.publish());
}

TEST(Ring, KeepsTheOrderOfWhatDoesNotFit) {
    Ring ring;
    std::vector<std::uint64_t> all, expected;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        push(ring, Plain{i, {i, i, i}});
        expected.push_back(i);
    }
    EXPECT_TRUE(ring.has_overflow());
    while (true) {
        ring.publish();
        auto some = pull<Plain>(ring);
        if (some.empty()) break;
        all.insert(all.end(), some.begin(), some.end());
    }
    EXPECT_EQ(all, expected);
    EXPECT_FALSE(ring.has_overflow());
}

TEST(Ring, DestroysWhatNobodyTook) {
    auto alive = std::make_shared<int>();
    {
        Ring ring;
        for (std::uint64_t i = 0; i < 600; ++i) push(ring, Counted{i, alive});
        EXPECT_EQ(alive.use_count(), 601);
        EXPECT_EQ(pull<Counted>(ring).size(), 256U);
        EXPECT_EQ(alive.use_count(), 345);
    }
    EXPECT_EQ(alive.use_count(), 1);
}

TEST(RingMultiShard, TakesEverythingInOrderFromOneThreadToAnother) {
    constexpr std::uint64_t count = 100'000;
    Ring ring;
    std::thread writer([&] {
        for (std::uint64_t i = 0; i < count; ++i) {
            push(ring, Plain{i, {i, i, i}});
            if (i % 37 == 0) ring.publish();
        }
        while (ring.publish() || ring.has_overflow()) std::this_thread::yield();
    });
    std::uint64_t next = 0;
    bool good = true;
    while (next < count && good) {
        std::size_t pulled = ring.pull([&](Envelope& envelope) {
            const Plain& plain = Boxed<Plain>::get(envelope.payload);
            good = good && plain.number == next && plain.more[2] == next;
            ++next;
        });
        if (pulled == 0) std::this_thread::yield();
    }
    writer.join();
    EXPECT_TRUE(good);
    EXPECT_EQ(next, count);
}

}  // namespace ring_tests
}  // namespace bennu
