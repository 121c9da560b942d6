#include "bennu/base/function.hpp"

#include <gtest/gtest.h>

#include <array>
#include <coroutine>
#include <memory>
#include <string>

namespace bennu {
namespace function_tests {

/// A coroutine type marked as the runtime's Task is.
template <typename T>
class [[clang::coro_return_type, clang::coro_lifetimebound]] Lazy {
  public:
    struct promise_type {
        T value{};
        Lazy get_return_object() {
            return Lazy(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(T v) { value = std::move(v); }
        void unhandled_exception() { throw; }
    };
    Lazy(Lazy&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    ~Lazy() {
        if (handle_) handle_.destroy();
    }
    T run() {
        handle_.resume();
        return handle_.promise().value;
    }

  private:
    explicit Lazy(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

Lazy<int> length(std::string text) {
    co_return static_cast<int>(text.size());
}

TEST(Function, ReturnsCoroutines) {
    Function<Lazy<int>(std::string)> plain = length;
    EXPECT_EQ(plain("abc").run(), 3);
    const Function<Lazy<int>(std::string) const> lambda = [](std::string text) -> Lazy<int> {
        co_return static_cast<int>(text.size()) * 2;
    };
    EXPECT_EQ(lambda("abc").run(), 6);
}

TEST(Function, HoldsSmallAndLargeMoveOnlyCallables) {
    Function<int(int)> small = [n = std::make_unique<int>(1)](int by) { return *n += by; };
    EXPECT_EQ(small(2), 3);
    Function<int(int)> moved = std::move(small);
    EXPECT_FALSE(small);  // NOLINT: empty after a move by contract
    EXPECT_EQ(moved(2), 5);
    auto counted = std::make_shared<int>(0);
    {
        Function<int(int)> large = [counted, pad = std::array<int, 64>{1}](int n) {
            return pad[0] + n;
        };
        EXPECT_EQ(large(1), 2);
        Function<int(int)> other = std::move(large);
        EXPECT_EQ(other(2), 3);
        EXPECT_EQ(counted.use_count(), 2);
        other = moved ? std::move(moved) : nullptr;
        EXPECT_EQ(counted.use_count(), 1);
        EXPECT_EQ(other(1), 6);
    }
    EXPECT_FALSE(Function<void()>());
    EXPECT_FALSE(Function<void()>(nullptr));
    EXPECT_FALSE(Function<void()>(static_cast<void (*)()>(nullptr)));
}

struct OnlyMutable {
    void operator()() {}
};

TEST(Function, ForwardsArgumentsOfEverySort) {
    Function<std::size_t(std::unique_ptr<int>, const std::string&, std::string&) const> f =
        [](std::unique_ptr<int> n, const std::string& in, std::string& out) {
            out = in;
            return in.size() + static_cast<std::size_t>(*n);
        };
    std::string out;
    EXPECT_EQ(f(std::make_unique<int>(4), "abc", out), 7u);
    EXPECT_EQ(out, "abc");
    Function<void(int)> ignores_result = [](int n) { return n; };
    ignores_result(1);
    static_assert(!std::is_constructible_v<Function<void() const>, OnlyMutable>);
    static_assert(!std::is_constructible_v<Function<void(int)>, void (*)(std::string)>);
}

}  // namespace function_tests
}  // namespace bennu
