// Everyday coroutine code that g++ 12.2 compiles into double frees: temporaries that live across a
// suspension. Each idiom counts its destructions; the program prints a line per idiom and fails
// when any count is wrong.
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

// Lazy, with symmetric transfer: the shape of bennu::Task without the rest of it.
template <typename T>
struct [[nodiscard]] Task {
    struct promise_type {
        T value{};
        std::coroutine_handle<> parent = std::noop_coroutine();

        Task get_return_object() {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct Awaiter {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(
                    std::coroutine_handle<promise_type> done) noexcept {
                    return done.promise().parent;
                }
                void await_resume() noexcept {}
            };
            return Awaiter{};
        }
        void return_value(T result) { value = std::move(result); }
        void unhandled_exception() { std::abort(); }
    };

    std::coroutine_handle<promise_type> handle;

    explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}
    Task(Task&& other) noexcept : handle(std::exchange(other.handle, {})) {}
    ~Task() {
        if (handle) handle.destroy();
    }
    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        handle.promise().parent = caller;
        return handle;
    }
    T await_resume() { return std::move(handle.promise().value); }
};

int alive = 0;

struct Tracked {
    explicit Tracked(int v = 0) : value(v) { ++alive; }
    Tracked(const Tracked& other) : value(other.value) { ++alive; }
    Tracked(Tracked&& other) noexcept : value(other.value) { ++alive; }
    Tracked& operator=(const Tracked&) = default;
    ~Tracked() { --alive; }
    int value;
};

struct Options {
    Tracked first;
    Tracked second = Tracked{2};
};

Task<int> by_value(Options options) {
    co_return options.first.value + options.second.value;
}
Task<int> by_reference(const Options& options) {
    co_return options.first.value;
}
Task<int> one(Tracked tracked) {
    co_return tracked.value;
}
Tracked made(int value) {
    return Tracked{value};
}

template <typename F>
Task<int> invoke(F function) {
    co_return co_await function();
}

Task<int> aggregate_by_value() {
    co_return co_await by_value({.first = Tracked{1}, .second = Tracked{2}});
}
Task<int> aggregate_by_reference() {
    co_return co_await by_reference({.first = Tracked{1}});
}
Task<int> aggregate_with_call() {
    co_return co_await by_value(Options{.first = made(3)});
}
Task<int> temporary_argument() {
    co_return co_await one(made(4));
}
Task<int> capturing_lambda() {
    Tracked tracked{5};
    co_return co_await invoke([tracked]() -> Task<int> { co_return tracked.value; });
}
Task<int> immediately_invoked_lambda() {
    Tracked tracked{6};
    co_return co_await [tracked]() -> Task<int> { co_return tracked.value; }();
}
Task<int> lambda_with_moved_capture() {
    co_return co_await invoke(
        [tracked = made(7)]() -> Task<int> { co_return co_await one(tracked); });
}
Task<int> conditional_await() {
    co_return alive >= 0 ? co_await one(made(8)) : co_await by_value({.first = Tracked{1}});
}
Task<int> await_in_argument() {
    co_return co_await by_value({.first = Tracked{co_await one(Tracked{9})}});
}

bool check(const char* idiom, Task<int> (*run)(), int expected) {
    alive = 0;
    int value = 0;
    {
        Task<int> task = run();
        task.handle.resume();
        value = task.handle.promise().value;
    }
    const bool good = alive == 0 && value == expected;
    std::printf("%s %s", good ? "ok" : "not ok", idiom);
    if (!good) std::printf(": value %d of %d, %d destructions too many", value, expected, -alive);
    std::printf("\n");
    std::fflush(stdout);
    return good;
}

}  // namespace

int main() {
    bool good = true;
    good &= check("an aggregate temporary by value", aggregate_by_value, 3);
    good &= check("an aggregate temporary by reference", aggregate_by_reference, 1);
    good &= check("an aggregate temporary made from a call", aggregate_with_call, 5);
    good &= check("a temporary argument", temporary_argument, 4);
    good &= check("a capturing lambda passed on", capturing_lambda, 5);
    good &= check("a capturing lambda invoked in place", immediately_invoked_lambda, 6);
    good &= check("a lambda with a moved capture", lambda_with_moved_capture, 7);
    good &= check("an await in a conditional", conditional_await, 8);
    good &= check("an await inside an aggregate temporary", await_in_argument, 11);
    return good ? 0 : 1;
}
