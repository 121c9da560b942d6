#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bennu {

/// What sort of outcome an error is; the web floor maps each kind to one HTTP status.
enum class ErrorKind : unsigned char {
    invalid,       ///< the caller's input is wrong (400 or 422)
    unauthorized,  ///< nobody is logged in (401)
    forbidden,     ///< logged in, but not allowed (403)
    not_found,     ///< 404
    conflict,      ///< contradicts the present state: unique keys, stale versions (409)
    too_large,     ///< over a documented limit (413)
    unsupported,   ///< a format, method or version that is not spoken here (415, 501)
    overloaded,    ///< a queue is full; try later (429, 503)
    timeout,       ///< a deadline passed (504)
    cancelled,     ///< the work was called off
    closed,        ///< the peer, socket or process is gone
    unavailable,   ///< a dependency does not answer (503)
    io,            ///< the operating system refused
    internal,      ///< our own fault (500)
};

std::string_view to_string(ErrorKind kind);

/// One thing that is wrong with one field. `field` is a path such as `cost` or `steps.2.name`;
/// `code` is a stable machine-readable word (`required`, `too_long`, `taken`); `message` is for
/// people.
struct FieldError {
    std::string field;
    std::string code;
    std::string message;

    bool operator==(const FieldError&) const = default;
};

/// An outcome that a caller is expected to handle. Two words in size; the details live on the heap,
/// since errors are rare. Copyable, so that one failure can answer several waiters.
class Error {
  public:
    explicit Error(ErrorKind kind, std::string code = {}, std::string message = {});
    Error(const Error& other);
    Error& operator=(const Error& other);
    Error(Error&&) noexcept = default;
    Error& operator=(Error&&) noexcept = default;
    ~Error() = default;

    /// An `invalid` error about one field.
    static Error field(std::string field, std::string code, std::string message);
    /// An `invalid` error about several fields; `fields` must not be empty.
    static Error invalid(std::vector<FieldError> fields);

    ErrorKind kind() const { return kind_; }
    /// A stable word such as `stale` or `connection_refused`; the kind's name when none was given.
    std::string_view code() const;
    std::string_view message() const;
    /// Empty unless the error is about fields.
    const std::vector<FieldError>& fields() const;
    /// Adds one line of context in front of the message ("while opening data/app.db: …").
    Error with_context(std::string_view context) &&;
    /// `kind code: message [field: message, …]` for logs.
    std::string describe() const;

  private:
    struct Details;
    struct DetailsDeleter {
        void operator()(Details*) const;
    };
    ErrorKind kind_;
    std::unique_ptr<Details, DetailsDeleter> details_;
};

/// A value or an Error. Converts implicitly from both, so that `return value;` and `return
/// Error(...)` read plainly.
template <typename T = void>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    template <typename U = T>
        requires(std::is_constructible_v<T, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Error>)
    Result(U&& value) : state_(std::in_place, std::forward<U>(value)) {}
    Result(Error error) : state_(std::unexpect, std::move(error)) {}

    bool has_value() const { return state_.has_value(); }
    explicit operator bool() const { return state_.has_value(); }

    T& operator*() & { return *state_; }
    const T& operator*() const& { return *state_; }
    T&& operator*() && { return *std::move(state_); }
    T* operator->() { return &*state_; }
    const T* operator->() const { return &*state_; }
    /// Throws std::bad_expected_access (a fault) when there is no value.
    T& value() & { return state_.value(); }
    const T& value() const& { return state_.value(); }
    T&& value() && { return std::move(state_).value(); }
    template <typename U>
    T value_or(U&& fallback) && {
        return std::move(state_).value_or(std::forward<U>(fallback));
    }

    const Error& error() const& { return state_.error(); }
    Error&& error() && { return std::move(state_).error(); }

    /// Maps the value, passes the error on.
    template <typename F>
    auto transform(F&& f) && -> Result<std::invoke_result_t<F, T&&>> {
        using U = std::invoke_result_t<F, T&&>;
        if (!state_) return std::move(state_).error();
        if constexpr (std::is_void_v<U>) {
            std::forward<F>(f)(*std::move(state_));
            return Result<U>();
        } else {
            return std::forward<F>(f)(*std::move(state_));
        }
    }
    /// Continues with a function that may itself fail.
    template <typename F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
        if (!state_) return std::move(state_).error();
        return std::forward<F>(f)(*std::move(state_));
    }

  private:
    std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;

    Result() = default;
    Result(Error error) : state_(std::unexpect, std::move(error)) {}

    bool has_value() const { return state_.has_value(); }
    explicit operator bool() const { return state_.has_value(); }
    const Error& error() const& { return state_.error(); }
    Error&& error() && { return std::move(state_).error(); }
    void value() const { state_.value(); }

    template <typename F>
    auto transform(F&& f) && -> Result<std::invoke_result_t<F>> {
        if (!state_) return std::move(state_).error();
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::forward<F>(f)();
            return {};
        } else {
            return std::forward<F>(f)();
        }
    }
    template <typename F>
    auto and_then(F&& f) && -> std::invoke_result_t<F> {
        if (!state_) return std::move(state_).error();
        return std::forward<F>(f)();
    }

  private:
    std::expected<void, Error> state_;
};

template <typename T>
inline constexpr bool is_result = false;
template <typename T>
inline constexpr bool is_result<Result<T>> = true;

}  // namespace bennu
