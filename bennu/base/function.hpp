#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace bennu {

template <typename Signature>
class Function;

namespace detail {

/// What a Function knows about the callable that it holds.
struct FunctionOps {
    void (*move)(void* from, void* to) noexcept;  ///< also destroys `from`
    void (*destroy)(void* storage) noexcept;
};

inline constexpr std::size_t function_buffer = 4 * sizeof(void*);

template <typename F>
inline constexpr bool fits_function_buffer =
    sizeof(F) <= function_buffer && alignof(F) <= alignof(std::max_align_t) &&
    std::is_nothrow_move_constructible_v<F>;

template <typename F>
F* function_target(void* storage) {
    if constexpr (fits_function_buffer<F>) {
        return std::launder(static_cast<F*>(storage));
    } else {
        return *static_cast<F**>(storage);
    }
}

template <typename F>
inline constexpr FunctionOps function_ops{[](void* from, void* to) noexcept {
                                              if constexpr (fits_function_buffer<F>) {
                                                  F* source = function_target<F>(from);
                                                  ::new (to) F(std::move(*source));
                                                  source->~F();
                                              } else {
                                                  *static_cast<F**>(to) = *static_cast<F**>(from);
                                              }
                                          },
                                          [](void* storage) noexcept {
                                              if constexpr (fits_function_buffer<F>) {
                                                  function_target<F>(storage)->~F();
                                              } else {
                                                  delete function_target<F>(storage);
                                              }
                                          }};

/// Storage and life cycle, shared by both constnesses of Function.
class FunctionStorage {
  public:
    FunctionStorage() = default;
    FunctionStorage(FunctionStorage&& other) noexcept : ops_(std::exchange(other.ops_, nullptr)) {
        if (ops_) ops_->move(other.buffer_, buffer_);
    }
    FunctionStorage& operator=(FunctionStorage&& other) noexcept {
        if (this == &other) return *this;
        reset();
        ops_ = std::exchange(other.ops_, nullptr);
        if (ops_) ops_->move(other.buffer_, buffer_);
        return *this;
    }
    ~FunctionStorage() { reset(); }

    template <typename F, typename G>
    void emplace(G&& callable) {
        if constexpr (fits_function_buffer<F>) {
            ::new (buffer()) F(std::forward<G>(callable));
        } else {
            *static_cast<F**>(buffer()) = new F(std::forward<G>(callable));
        }
        ops_ = &function_ops<F>;
    }
    void reset() noexcept {
        if (ops_) std::exchange(ops_, nullptr)->destroy(buffer_);
    }
    bool empty() const { return ops_ == nullptr; }
    void* buffer() const { return buffer_; }

  private:
    alignas(std::max_align_t) mutable std::byte buffer_[function_buffer];
    const FunctionOps* ops_ = nullptr;
};

}  // namespace detail

/// A move-only callable of any type behind one signature. Callables up to four words live inside
/// it. Unlike std::move_only_function it may return a coroutine type that is marked
/// `coro_return_type`. Calling an empty Function is a programming error (asserted).
/// `Function<R(Args...) const>` holds callables that can be called when const.
template <typename R, typename... Args>
class Function<R(Args...)> {
  public:
    Function() = default;
    Function(std::nullptr_t) {}
    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Function> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    Function(F&& callable) {
        using Target = std::decay_t<F>;
        if constexpr (std::is_pointer_v<Target>) {
            if (callable == nullptr) return;
        }
        storage_.template emplace<Target>(std::forward<F>(callable));
        invoke_ = [] [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] (
                      void* storage, Args... args) -> R {
            return static_cast<R>(
                (*detail::function_target<Target>(storage))(std::forward<Args>(args)...));
        };
    }

    explicit operator bool() const { return !storage_.empty(); }

    [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] R operator()(Args... args) {
        assert(!storage_.empty() && "an empty Function was called");
        return invoke_(storage_.buffer(), std::forward<Args>(args)...);
    }

  private:
    detail::FunctionStorage storage_;
    R (*invoke_)(void*, Args...) = nullptr;
};

template <typename R, typename... Args>
class Function<R(Args...) const> {
  public:
    Function() = default;
    Function(std::nullptr_t) {}
    template <typename F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Function> &&
                 std::is_invocable_r_v<R, const std::decay_t<F>&, Args...>)
    Function(F&& callable) {
        using Target = std::decay_t<F>;
        if constexpr (std::is_pointer_v<Target>) {
            if (callable == nullptr) return;
        }
        storage_.template emplace<Target>(std::forward<F>(callable));
        invoke_ = [] [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] (
                      void* storage, Args... args) -> R {
            const Target& target = *detail::function_target<Target>(storage);
            return static_cast<R>(target(std::forward<Args>(args)...));
        };
    }

    explicit operator bool() const { return !storage_.empty(); }

    [[clang::coro_wrapper, clang::coro_disable_lifetimebound]] R operator()(Args... args) const {
        assert(!storage_.empty() && "an empty Function was called");
        return invoke_(storage_.buffer(), std::forward<Args>(args)...);
    }

  private:
    detail::FunctionStorage storage_;
    R (*invoke_)(void*, Args...) = nullptr;
};

}  // namespace bennu
